/**
 * Imported before onnxruntime-web: it builds URLs on `location.origin`, which is "null" in a Worker
 * and then no base. Without a location it uses its own address.
 */
Reflect.deleteProperty(globalThis, "location");
