import { createHash } from "node:crypto";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { docsStyle } from "./docs-style.ts";

/** A page of HTML, and the policy that lets nothing run or load in it but its own style. */
export interface DocsPage {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

/** Shows an OpenAPI document as one page without scripts: operations by tag, with parameters, bodies and responses, and the schemas. */
export function createDocsPage(document: JsonObject, documentPath: string): DocsPage {
  const { title, version, description } = toObject(document.info);
  const operations = listOperations(document);
  const tags = [...new Set(operations.map((one) => one.tag))];
  const { schemas, responses } = toObject(document.components);
  const links = tags.map((tag) => `<a href="#tag-${escapeHtml(tag)}">${escapeHtml(lastName(tag))}</a>`);
  const html = [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<title>${escapeHtml(title)}</title><style>${docsStyle}</style></head><body><main>`,
    `<h1>${escapeHtml(title)} <span class="chip">${escapeHtml(version)}</span></h1>`,
    paragraphs(description),
    `<nav>${links.join("")}<a href="#schemas">Schemas</a><a href="${escapeHtml(documentPath)}">OpenAPI document</a></nav>`,
    ...tags.map((tag) => showTag(tag, document, operations, toObject(responses))),
    `<h2 id="schemas">Schemas</h2>`,
    ...Object.entries(toObject(schemas)).map(([name, schema]) => showSchema(name, toObject(schema))),
    "</main></body></html>\n",
  ].join("\n");
  const hash = createHash("sha256").update(docsStyle).digest("base64");
  return {
    html,
    contentSecurityPolicy: `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  };
}

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly tag: string;
  readonly operation: JsonObject;
}

function listOperations(document: JsonObject): Operation[] {
  return Object.entries(toObject(document.paths)).flatMap(([path, item]) =>
    Object.entries(toObject(item)).map(([method, value]) => {
      const operation = toObject(value);
      const [tag] = toArray(operation.tags);
      return { method, path, operation, tag: typeof tag === "string" ? tag : "" };
    }),
  );
}

function showTag(tag: string, document: JsonObject, operations: readonly Operation[], responses: JsonObject): string {
  const found = toArray(document.tags).find((one) => toObject(one).name === tag);
  const shown = operations.filter((one) => one.tag === tag).map((one) => showOperation(one, responses));
  const heading = `${escapeHtml(lastName(tag))} <small>${escapeHtml(tag)}</small>`;
  return `<h2 id="tag-${escapeHtml(tag)}">${heading}</h2>${paragraphs(toObject(found).description)}${shown.join("\n")}`;
}

function showOperation({ method, path, operation }: Operation, shared: JsonObject): string {
  const { operationId, summary, description, parameters } = operation;
  const marks = [
    operation.deprecated === true ? "deprecated" : "",
    operation["x-streaming"] === undefined ? "" : String(operation["x-streaming"]).replace("_", " "),
  ].filter((mark) => mark !== "");
  const chips = marks.map((mark) => ` <span class="chip">${escapeHtml(mark)}</span>`).join("");
  const body = toObject(toObject(operation.requestBody).content);
  return [
    `<details id="${escapeHtml(operationId)}"><summary><b class="${escapeHtml(method)}">${escapeHtml(method.toUpperCase())}</b>`,
    `<code>${escapeHtml(path)}${chips}</code>${summary === undefined ? "" : `<span>${escapeHtml(summary)}</span>`}</summary>`,
    `<div class="inside">${paragraphs(description)}`,
    section(
      "Parameters",
      toArray(parameters).map((one) => showParameter(toObject(one))),
    ),
    section("Body", showContent(body)),
    section(
      "Responses",
      Object.entries(toObject(operation.responses)).map(([status, one]) => showResponse(status, toObject(one), shared)),
    ),
    "</div></details>",
  ].join("");
}

function section(title: string, rows: readonly string[]): string {
  return rows.length === 0 ? "" : `<h3>${title}</h3><table>${rows.join("")}</table>`;
}

function showParameter(parameter: JsonObject): string {
  const content = toObject(toObject(parameter.content)["application/json"]);
  const required = parameter.required === true ? ", required" : "";
  const name = `<code>${escapeHtml(parameter.name)}</code> <em>${escapeHtml(parameter.in)}${required}</em>`;
  return tableRow(name, toObject(parameter.schema ?? content.schema), parameter.description);
}

/** A row for each media type. */
function showContent(content: JsonObject): string[] {
  return Object.entries(content).map(([type, media]) =>
    tableRow(`<code>${escapeHtml(type)}</code>`, toObject(toObject(media).schema), undefined),
  );
}

function showResponse(status: string, response: JsonObject, shared: JsonObject): string {
  const { $ref: ref } = response;
  const found = typeof ref === "string" ? toObject(shared[ref.slice(ref.lastIndexOf("/") + 1)]) : response;
  const types = Object.entries(toObject(found.content)).map(
    ([type, media]) => `<p><code>${escapeHtml(type)}</code> ${showType(toObject(toObject(media).schema))}</p>`,
  );
  return `<tr><td><code>${escapeHtml(status)}</code></td><td>${escapeHtml(found.description)}${types.join("")}</td></tr>`;
}

function showSchema(name: string, schema: JsonObject): string {
  const values = toArray(schema.enum).map((value) => `<code>${escapeHtml(value)}</code>`);
  const rows = showProperties(schema);
  // The name that links lead to is inside, because browsers open what holds the target of a link.
  return [
    `<details><summary class="schema"><code>${escapeHtml(name)}</code></summary><div class="inside" id="schema-${escapeHtml(name)}">`,
    paragraphs(schema.description),
    rows.length === 0 ? "" : `<table>${rows.join("")}</table>`,
    values.length === 0 ? "" : `<p>${values.join(", ")}</p>`,
    "</div></details>",
  ].join("");
}

function showProperties(schema: JsonObject): string[] {
  const required = toArray(schema.required);
  return Object.entries(toObject(schema.properties)).map(([property, value]) => {
    const one = toObject(value);
    const marks = [
      required.includes(property) ? "required" : "",
      one.readOnly === true ? "read only" : "",
      one.writeOnly === true ? "write only" : "",
      one.deprecated === true ? "deprecated" : "",
    ].filter((mark) => mark !== "");
    return tableRow(`<code>${escapeHtml(property)}</code> <em>${marks.join(", ")}</em>`, one, one.description);
  });
}

/** @param name HTML */
function tableRow(name: string, schema: JsonObject, description: JsonValue | undefined): string {
  const inner = isObject(schema.properties) ? `<table>${showProperties(schema).join("")}</table>` : "";
  return `<tr><td>${name}</td><td>${showType(schema)}${paragraphs(description)}${inner}</td></tr>`;
}

/** A type in a few words, with a link to the schema that it refers to. */
function showType(schema: JsonObject): string {
  const { $ref: ref, type, format, items, additionalProperties } = schema;
  if (typeof ref === "string") {
    const name = ref.slice(ref.lastIndexOf("schemas/") + "schemas/".length);
    return `<a href="#schema-${escapeHtml(name.split("/")[0])}">${escapeHtml(lastName(name.split("/")[0] ?? ""))}</a>`;
  }
  if (type === "array") return `list of ${showType(toObject(items))}`;
  if (type === "object" && isObject(additionalProperties)) return `map of ${showType(additionalProperties)}`;
  return (
    [type, format]
      .filter((one) => typeof one === "string")
      .map(escapeHtml)
      .join(" ") || "any"
  );
}

/** Of a name with dots. */
function lastName(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

function paragraphs(text: JsonValue | undefined): string {
  if (typeof text !== "string") return "";
  return text
    .split(/\n\s*\n/)
    .map((one) => `<p>${escapeHtml(one)}</p>`)
    .join("");
}

/** Texts of a document may come from anywhere. */
function escapeHtml(text: JsonValue | undefined): string {
  if (text === undefined || text === null) return "";
  return String(text).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toObject(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function toArray(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}
