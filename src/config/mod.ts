/** YAML: configuration files against a schema, every problem with its line; and YAML for others. */
export { parseYamlConfig, type YamlConfigOptions } from "./yaml_config.ts";
export { formatYaml } from "./yaml_format.ts";
