/** Callers of the sample model, who learn later whether the parcel came late. */
import { sampleTable } from "../../src/starter/mod.ts";

/** Asks a served model for parcels until it is stopped. */
export class ParcelTraffic implements AsyncDisposable {
  /** Answers by version. */
  readonly answered: Record<string, number> = {};
  /** Each failure in words. */
  readonly failures: string[] = [];
  readonly #rows: { [column: string]: number | null }[];
  readonly #url: string;
  readonly #running: Promise<unknown>;
  #stopped = false;

  /** @param url of the model, e.g. `http://localhost:8080/v2/models/parcels` */
  constructor(url: string, connections = 4) {
    this.#url = url;
    const [header, ...lines] = sampleTable(2000, 3).trimEnd().split("\n");
    const names = header.split(",").slice(0, -1);
    this.#rows = lines.map((line) => {
      const cells = line.split(",");
      return Object.fromEntries(
        names.map((name, i) => [name, cells[i] === "" ? null : Number(cells[i])]),
      );
    });
    this.#running = Promise.all(Array.from({ length: connections }, (_, i) => this.#call(i)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #call(start: number): Promise<void> {
    for (let i = start; !this.#stopped; i += 7) {
      const row = this.#rows[i % this.#rows.length];
      const inputs = Object.entries(row).map(([name, value]) => {
        return { name, shape: [1, 1], datatype: "FP32", data: [value] };
      });
      try {
        const answer = await fetch(`${this.#url}/infer`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ inputs }),
        });
        const text = await answer.text();
        if (answer.status === 200) {
          const version = JSON.parse(text).model_version;
          this.answered[version] = (this.answered[version] ?? 0) + 1;
        } else this.failures.push(`${answer.status}: ${text}`);
      } catch (thrown) {
        this.failures.push(String(thrown));
      }
      await new Promise((done) => setTimeout(done, 5));
    }
  }
}
