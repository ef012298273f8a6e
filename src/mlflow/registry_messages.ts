import { z } from "zod";
import { message } from "./message.ts";
import { bool, int64, keyValue, text } from "./scalars.ts";

/** Requests of registered models and versions (`model_registry.proto` of MLflow 3.17.2). */

const tags = z.array(keyValue);
const texts = z.array(text);
const version = { name: text, version: text };

/** Requests of registered models and their aliases. */
export const registeredModelMessages = {
  create: message({ name: text, tags, description: text }, ["name"]),
  byName: message({ name: text }, ["name"]),
  update: message({ name: text, description: text }, ["name"]),
  rename: message({ name: text, new_name: text }, ["name", "new_name"]),
  search: message({
    filter: text,
    max_results: int64.refine((rows) => rows <= 1000),
    order_by: texts,
    page_token: text,
  }),
  latestVersions: message({ name: text, stages: texts }, ["name"]),
  setTag: message({ name: text, key: text, value: text }, ["name", "key"]),
  deleteTag: message({ name: text, key: text }, ["name", "key"]),
  setAlias: message({ name: text, alias: text, version: text }, ["name", "alias", "version"]),
  byAlias: message({ name: text, alias: text }, ["name", "alias"]),
};

/** Requests of versions of registered models. */
export const modelVersionMessages = {
  create: message({
    name: text,
    source: text,
    run_id: text,
    tags,
    run_link: text,
    description: text,
    model_id: text,
  }, ["name", "source"]),
  byVersion: message(version, ["name", "version"]),
  update: message({ ...version, description: text }, ["name", "version"]),
  transition: message({
    ...version,
    stage: text,
    archive_existing_versions: bool,
  }, ["name", "version", "stage"]),
  search: message({
    filter: text,
    max_results: int64.refine((rows) => rows <= 200_000),
    order_by: texts,
    page_token: text,
  }),
  setTag: message({ ...version, key: text, value: text }, ["name", "version", "key"]),
  deleteTag: message({ ...version, key: text }, ["name", "version", "key"]),
};
