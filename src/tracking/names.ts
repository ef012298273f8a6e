import type { Random } from "../core/mod.ts";

const ADJECTIVES = [
  "able amber bold brave bright brisk calm clever cosmic crisp daring deep eager fair fine gentle",
  "glad golden grand happy honest jolly keen kind lively lucky lush merry mighty nimble noble plucky",
  "polite proud quick quiet rapid rare shiny silent smart snug spry steady sunny swift tidy upbeat",
  "vivid warm wise witty zesty",
].join(" ").split(" ");

const NOUNS = [
  "ant ape bass bear bee bird boar bug calf cat chimp cod colt conch cow crab crane crow cub deer doe",
  "dog dolphin dove duck eel elk fawn finch fish flea foal fowl fox frog gnat goat goose grouse gull",
  "hare hawk hen hog horse hound jay kit kite koi lamb lark loon lynx mare midge mink mole moose moth",
  "mouse mule newt owl ox panda perch pig pug quail ram rat ray robin roo rook seal shad shark sheep",
  "shoat shrew shrike skunk slug smelt snail snake snipe sow sponge squid squirrel stag steed stoat",
  "stork swan tern toad trout turtle vole wasp whale wolf worm wren yak zebra",
].join(" ").split(" ");

/** @returns a name for what came without one, e.g. "brisk-finch-417" */
export function generateName(random: Random): string {
  const pick = (words: readonly string[]) => words[random.uint32() % words.length];
  return `${pick(ADJECTIVES)}-${pick(NOUNS)}-${random.uint32() % 1000}`;
}

/** @returns 32 hexadecimal digits, a version 4 UUID without dashes */
export function generateId(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Joins a location and a path, before any query: MLflow's `append_to_uri_path`. */
export function joinUri(location: string, ...parts: readonly string[]): string {
  const query = location.search(/[?#]/);
  const head = query < 0 ? location : location.slice(0, query);
  const tail = query < 0 ? "" : location.slice(query);
  const base = head.replace(/\/+$/, "");
  // "mlflow-artifacts:/" keeps its one slash.
  return [base, ...parts].join("/") + tail;
}
