import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname } from "node:path";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".map": "application/json",
};

/** Allows only scripts, styles and calls of the page's own origin. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

interface PageFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * Serves the files of a built page: `gateway: { fallback: createPageFiles(folder) }`. It reads them at the first request, so a service starts even if
 * its page is not built, and again after each build.
 *
 * @param folder The folder of the built page. Subfolders are not served.
 */
export function createPageFiles(folder: URL): (request: Request) => Response {
  let files: ReadonlyMap<string, PageFile> = new Map();
  let version = "";
  return ({ method, url, headers }) => {
    const current = versionOf(folder);
    if (current !== version) files = readFiles(folder);
    version = current;
    const { pathname } = new URL(url);
    const file = files.get(pathname);
    if (file === undefined) return nothingHere(pathname);
    if (method !== "GET" && method !== "HEAD")
      return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
    const { body, fields } = file;
    const isKnown = headers.get("if-none-match") === fields.etag;
    return new Response(isKnown || method === "HEAD" ? null : body, { status: isKnown ? 304 : 200, headers: fields });
  };
}

/** Returns the files by path; the page is at "/". Returns none if the folder does not exist. */
function readFiles(folder: URL): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const name of namesIn(folder)) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const body = new Uint8Array(readFileSync(new URL(name, folder)));
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
    const fields = {
      "content-type": type,
      etag,
      // Clients must validate by the tag, so that an old page is not used with a new server.
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      ...(type.startsWith("text/html") && { "content-security-policy": pagePolicy }),
    };
    files.set(name === "index.html" ? "/" : `/${name}`, { body, fields });
  }
  return files;
}

/** Differs after each build. A build writes file after file, so the folder's own time would not do. */
function versionOf(folder: URL): string {
  const times = namesIn(folder).map((name) => {
    const { mtimeMs, size } = statSync(new URL(name, folder), { throwIfNoEntry: false }) ?? {};
    return `${name} ${mtimeMs} ${size}`;
  });
  return times.join("\n");
}

function namesIn(folder: URL): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** In the format of REST errors, because the client may have meant a REST path. */
function nothingHere(path: string): Response {
  const message = path === "/" ? "the page is not built: run `npm run build:page`" : "path not found";
  const error = { code: 404, message, status: "NOT_FOUND", details: [] };
  return Response.json({ error }, { status: 404, headers: { "cache-control": "no-store" } });
}
