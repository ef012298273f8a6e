/**
 * Holds dashboards against Grafana's own published types (@grafana/schema): unknown fields, wrong types,
 * wrong members of enumerations, for each type of panel. Schemas are made once and kept in `schemas.json`.
 *
 *     node validate.mjs DASHBOARD.json…
 */
import fs from "node:fs";
import process from "node:process";
import Ajv from "ajv";
import { createGenerator } from "ts-json-schema-generator";

const RAW = "node_modules/@grafana/schema/dist/types/raw";
const CACHE = "schemas.json";
const ajv = new Ajv({ strict: false, allErrors: true, allowUnionTypes: true });
const schemas = fs.existsSync(CACHE) ? JSON.parse(fs.readFileSync(CACHE, "utf8")) : {};
const validators = new Map();
const problems = [];
let checked = 0;

/** @returns the check of a type, or undefined where Grafana has no such type */
function validatorOf(folder, type) {
  const key = `${folder}#${type}`;
  if (validators.has(key)) return validators.get(key);
  if (!(key in schemas)) schemas[key] = makeSchema(folder, type);
  const validator = schemas[key] === null ? undefined : ajv.compile(schemas[key]);
  validators.set(key, validator);
  return validator;
}

function makeSchema(folder, type) {
  const path = `${RAW}/${folder}/x/types.gen.d.ts`;
  if (!fs.existsSync(path)) return null;
  const options = {
    skipTypeCheck: true,
    additionalProperties: false,
    expose: "all",
    jsDoc: "none",
  };
  try {
    return createGenerator({ path, type, ...options }).createSchema(type);
  } catch (thrown) {
    if (/No root type/.test(thrown.message)) return null;
    throw thrown;
  }
}

/** @param isPartial Grafana fills in what is missing */
function check(where, folder, type, value, isPartial = false) {
  const validator = validatorOf(folder, type);
  if (validator === undefined) return;
  checked++;
  if (validator(value)) return;
  for (const { keyword, instancePath, message, params } of validator.errors) {
    if (isPartial && keyword === "required") continue;
    problems.push(
      `${where} ${instancePath || "/"} ${message} ${JSON.stringify(params)}`,
    );
  }
}

for (const file of process.argv.slice(2)) {
  const { panels, ...rest } = JSON.parse(fs.readFileSync(file, "utf8"));
  check(file, "dashboard", "Dashboard", rest);
  for (const panel of panels) {
    const where = `${file} [${panel.title}]`;
    if (panel.type === "row") {
      check(where, "dashboard", "RowPanel", panel);
      continue;
    }
    check(where, "dashboard", "Panel", panel);
    const folder = `composable/${panel.type}/panelcfg`;
    if (!fs.existsSync(`${RAW}/${folder}`)) {
      problems.push(`${where} unknown type ${panel.type}`);
    }
    check(`${where} options`, folder, "Options", panel.options ?? {}, true);
    const custom = panel.fieldConfig?.defaults?.custom ?? {};
    check(`${where} fieldConfig.custom`, folder, "FieldConfig", custom, true);
  }
}
fs.writeFileSync(CACHE, JSON.stringify(schemas));
for (const problem of problems) console.log(problem);
console.log(`types: ${checked} parts checked, ${problems.length} problems`);
process.exit(problems.length > 0 || checked === 0 ? 1 : 0);
