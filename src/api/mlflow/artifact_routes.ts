import type { Context, Hono } from "hono";
import { type ArtifactEntry, parseArtifactPath } from "../../artifact/mod.ts";
import { SerinError } from "../../core/mod.ts";
import { loggedModelMessages, runMessages } from "../../mlflow/mod.ts";
import { readBody } from "../body.ts";
import { artifactSourceOf } from "./artifact_source.ts";
import { toErrorResponse } from "./errors.ts";
import { fileResponse } from "./file_response.ts";
import { readMessage } from "./request.ts";
import type { MlflowServices } from "./services.ts";
import { unlessEmpty } from "./tracking_wire.ts";

/** Largest file that MLflow's page may upload (bytes). */
const PAGE_UPLOAD_BYTES_MAX = 10 * 1024 * 1024;

type Handler = (context: Context) => Promise<Response>;

/** Adds the routes that carry files. Uploads and downloads stream; only the disk bounds them. */
export function addArtifactRoutes(app: Hono, services: MlflowServices): void {
  const guard = (handle: Handler): Handler => async (context) => {
    try {
      return await handle(context);
    } catch (thrown) {
      await context.req.raw.body?.cancel().catch(() => {});
      return toErrorResponse(thrown, services.log);
    }
  };
  for (const prefix of ["/api", "/ajax-api"]) {
    const files = `${prefix}/2.0/mlflow-artifacts/artifacts`;
    app.get(files, guard((context) => listProxied(context, services)));
    app.get(`${files}/*`, guard((context) => download(context, services, `${files}/`)));
    app.put(`${files}/*`, guard((context) => upload(context, services, `${files}/`)));
    app.delete(`${files}/*`, guard((context) => remove(context, services, `${files}/`)));
    app.get(`${prefix}/2.0/mlflow/artifacts/list`, guard((context) => listRun(context, services)));
    const model = `${prefix}/2.0/mlflow/logged-models/:model_id/artifacts`;
    app.get(`${model}/directories`, guard((context) => listModel(context, services)));
    app.get(`${model}/files`, guard((context) => getModelFile(context, services)));
    const page = `${prefix}/2.0/mlflow/upload-artifact`;
    app.post(page, guard((context) => uploadFromPage(context, services)));
  }
  app.get("/get-artifact", guard((context) => getRunFile(context, services)));
  app.get("/model-versions/get-artifact", guard((context) => getVersionFile(context, services)));
}

/** The path as the caller wrote it: URL parsing would fold ".." and hide it. */
function rawPath(context: Context, prefix: string): string {
  const { url } = context.req.raw;
  const path = url.slice(url.indexOf(prefix) + prefix.length).replace(/[?#].*$/, "");
  if (path === "") throw new SerinError("invalid_input", "Invalid path");
  return parseArtifactPath(path);
}

async function download(context: Context, services: MlflowServices, prefix: string) {
  const path = rawPath(context, prefix);
  const file = await services.artifacts.open(path);
  if (file !== undefined) return fileResponse(path, file);
  throw new SerinError("not_found", `No such artifact: '${path}'`);
}

async function upload(context: Context, services: MlflowServices, prefix: string) {
  const path = rawPath(context, prefix);
  const { raw } = context.req;
  const declared = raw.headers.get("content-length");
  const body = raw.body ?? new Uint8Array();
  await services.artifacts.put(path, declared === null ? body : exactly(body, Number(declared)));
  return Response.json({});
}

/** A sender that breaks off must not leave a shorter file. */
function exactly(
  body: ReadableStream<Uint8Array> | Uint8Array,
  expected: number,
): ReadableStream<Uint8Array> | Uint8Array {
  if (body instanceof Uint8Array) return body;
  let size = 0;
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.length;
        controller.enqueue(chunk);
      },
      flush(controller) {
        if (size === expected) return;
        const message = `The upload broke off after ${size} of ${expected} bytes`;
        controller.error(new SerinError("invalid_input", message));
      },
    }),
  );
}

function remove(context: Context, services: MlflowServices, prefix: string) {
  const path = rawPath(context, prefix);
  if (path === "") throw new SerinError("invalid_input", "Invalid path");
  const { files, bytesFreed } = services.artifacts.remove(path);
  services.log.info("artifacts deleted", { path, files, bytesFreed });
  return Promise.resolve(Response.json({}));
}

function listProxied(context: Context, services: MlflowServices) {
  const folder = parseArtifactPath(context.req.query("path") ?? "");
  const entries = services.artifacts.list(folder).map((entry) => ({
    ...entry,
    path: entry.path.slice(entry.path.lastIndexOf("/") + 1),
  }));
  return Promise.resolve(Response.json({ files: unlessEmpty(entries.map(toWireFile)) }));
}

function toWireFile({ path, isFolder, size }: ArtifactEntry) {
  return { path, is_dir: isFolder, file_size: size };
}

async function listing(services: MlflowServices, uri: string, folder: string): Promise<Response> {
  const entries = await artifactSourceOf(services, uri).list(folder);
  return Response.json({ root_uri: uri, files: unlessEmpty(entries.map(toWireFile)) });
}

async function listRun(context: Context, services: MlflowServices) {
  const request = await readMessage(runMessages.listArtifacts, context.req.raw, {});
  const folder = parseArtifactPath(request.path ?? "");
  return await listing(services, runUri(services, request.run_id), folder);
}

async function listModel(context: Context, services: MlflowServices) {
  const request = await readMessage(loggedModelMessages.listArtifacts, context.req.raw, {
    model_id: context.req.param("model_id")!,
  });
  const folder = parseArtifactPath(request.artifact_directory_path ?? "");
  const { artifactLocation } = services.tracking.models.get(request.model_id);
  return await listing(services, artifactLocation, folder);
}

async function serve(services: MlflowServices, uri: string, path: string): Promise<Response> {
  const safe = parseArtifactPath(path);
  return fileResponse(safe, await artifactSourceOf(services, uri).open(safe));
}

function runUri({ tracking }: MlflowServices, runId: string): string {
  const run = tracking.runs.findInfo(runId);
  if (run !== undefined) return run.artifactUri;
  throw new SerinError("not_found", `Run with id=${runId} not found`);
}

async function getRunFile(context: Context, services: MlflowServices) {
  const runId = context.req.query("run_id") ?? requiredQuery(context, "run_uuid");
  return await serve(services, runUri(services, runId), requiredQuery(context, "path"));
}

async function getVersionFile(context: Context, services: MlflowServices) {
  const name = requiredQuery(context, "name");
  const version = requiredQuery(context, "version");
  const uri = services.registry.versions.downloadUri(name, version);
  return await serve(services, uri, requiredQuery(context, "path"));
}

async function getModelFile(context: Context, services: MlflowServices) {
  const { artifactLocation } = services.tracking.models.get(context.req.param("model_id")!);
  const path = context.req.query("artifact_file_path");
  if (path) return await serve(services, artifactLocation, path);
  const message = 'Request must include the "artifact_file_path" query parameter.';
  throw new SerinError("invalid_input", message);
}

async function uploadFromPage(context: Context, services: MlflowServices) {
  const runId = requiredQuery(context, "run_uuid");
  const path = parseArtifactPath(requiredQuery(context, "path"));
  const declared = Number(context.req.header("content-length") ?? 0);
  const tooLarge = new SerinError("invalid_input", "Artifact size is too large. Max size is 10MB.");
  if (declared > PAGE_UPLOAD_BYTES_MAX) throw tooLarge;
  const bytes = await readBody(context.req.raw, PAGE_UPLOAD_BYTES_MAX);
  if (bytes.length === 0) throw new SerinError("invalid_input", "Request must specify data.");
  await artifactSourceOf(services, runUri(services, runId)).put(path, bytes);
  return Response.json({});
}

function requiredQuery(context: Context, name: string): string {
  const value = context.req.query(name);
  if (value) return value;
  throw new SerinError("invalid_input", `Request must specify ${name}.`);
}
