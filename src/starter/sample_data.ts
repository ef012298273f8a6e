import { SeededRandom } from "../core/mod.ts";

/** The column to predict. */
export const SAMPLE_TARGET = "late";

/** Columns of {@linkcode sampleTable}, the target last. */
export const SAMPLE_COLUMNS = [
  ...["distance_km", "weight_kg", "stops_before", "hour", "weekday", "rain_mm"] as const,
  SAMPLE_TARGET,
] as const;

/**
 * A made-up table to begin with: parcels of a delivery service, and whether each came late. The rain
 * is not known for one parcel in twelve.
 *
 * @param seed another seed, other parcels of the same service
 * @returns CSV with a header line
 */
export function sampleTable(rows: number, seed: number): string {
  const random = new SeededRandom(seed), lines: string[] = [SAMPLE_COLUMNS.join(",")];
  for (let row = 0; row < rows; row++) lines.push(parcel(random).join(","));
  return `${lines.join("\n")}\n`;
}

function parcel(random: SeededRandom): (string | number)[] {
  const distance = Math.round(20 + 780 * random.unit() * random.unit()) / 10;
  const weight = Math.round(5 + 300 * random.unit() ** 3) / 10;
  const stops = Math.floor(40 * random.unit());
  const hour = 7 + Math.floor(14 * random.unit());
  const weekday = 1 + Math.floor(6 * random.unit());
  const rain = Math.round(Math.max(0, 160 * random.unit() - 110)) / 10;
  const isKnown = random.unit() > 1 / 12;
  const score = -4.2 + 0.035 * distance + 0.06 * stops + (hour >= 16 && hour < 19 ? 1.1 : 0) +
    (weekday === 6 ? -0.7 : 0) + 0.45 * rain + (weight > 20 ? 0.6 : 0);
  const isLate = random.unit() < 1 / (1 + Math.exp(-score));
  return [distance, weight, stops, hour, weekday, isKnown ? rain : "", isLate ? 1 : 0];
}
