import { assertEquals } from "../testing/mod.ts";
import { labelTest, type ModelTraining } from "./model_training.ts";

const NOTHING: ModelTraining = {
  ...{ objective: undefined, target: undefined, dataset: undefined, classes: undefined },
};

Deno.test("labels that a model may learn from: its classes, or numbers", () => {
  const taken = (training: Partial<ModelTraining>) => {
    const test = labelTest({ ...NOTHING, ...training });
    return test && ["0", "1", "1.0", "2", "-1", "0.5", "", " ", "UP", "NaN", "1e999"].filter(test);
  };
  assertEquals(taken({ objective: "binary", classes: [0, 1] }), ["0", "1", "1.0"]);
  assertEquals(taken({ objective: "binary", classes: ["DOWN", "UP"] }), ["UP"]);
  assertEquals(taken({ objective: "regression" }), ["0", "1", "1.0", "2", "-1", "0.5"]);
  assertEquals(taken({}), undefined);
});
