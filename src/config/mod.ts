/** Configuration files: YAML against a schema, every problem at once, with its line. */
export { parseYamlConfig, type YamlConfigOptions } from "./yaml_config.ts";
