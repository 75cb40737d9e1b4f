import type { RegisteredDestination, RegisteredSource } from "../catalog/registered-items.ts";
import { chooseEngine } from "../engine/choose-engine.ts";
import type { FileEngineName } from "../engine/compression.ts";
import { checkRepository, isRepository, repositoryPrefix } from "../engine/restic/repository/repository-location.ts";
import { checkSecretRef } from "../engine/restic/repository/repository-secret.ts";
import { fail } from "../failure/failure.ts";
import { checkPath } from "../path/check-path.ts";
import type { ItemInput } from "./item-service.ts";
import { appendTemplate, defaultTemplateOf, expandTemplate } from "./name-template.ts";

const maxExcludes = 1000;
const maxPatternCharacters = 1024;

/** @throws FailureError that names the field */
export function checkSource({ name, path, excludes, oneFileSystem }: ItemInput<RegisteredSource>) {
  const checked = checkExcludes("source.excludes", excludes);
  return { name, path: checkPath("source.path", path), excludes: [...checked], oneFileSystem };
}

/** @throws FailureError FIELD_INVALID */
export function checkExcludes(field: string, excludes: readonly string[]): readonly string[] {
  if (excludes.length > maxExcludes) invalidExcludes(field, `use at most ${maxExcludes} patterns`);
  const wrong = excludes.find((one) => one.length > maxPatternCharacters || /[\n\0]/.test(one));
  if (wrong === undefined) return excludes;
  return invalidExcludes(field, `a pattern has at most ${maxPatternCharacters} characters in one line`);
}

function invalidExcludes(field: string, problem: string): never {
  fail({ reason: "FIELD_INVALID", field, message: `invalid excludes: ${problem}` });
}

/** @throws FailureError that names the field */
export function checkDestinationItem(input: ItemInput<RegisteredDestination>): ItemInput<RegisteredDestination> {
  return input.engine === "restic" ? checkRepositoryItem(input) : checkFolder(input, input.engine);
}

function checkRepositoryItem({ name, engine, url, template, secretRef, isAppend }: ItemInput<RegisteredDestination>) {
  if (template !== "" || isAppend) {
    const field = `destination.${isAppend ? "append" : "template"}`;
    const message = `${field} is for files: a repository keeps all backups by itself, leave it empty`;
    fail({ reason: "FIELD_INVALID", field, message });
  }
  const repository = checkRepository("destination.url", isRepository(url) ? url : repositoryPrefix + url);
  const checked = checkSecretRef("destination.secret_ref", secretRef);
  return { name, engine, url: repository, template, secretRef: checked, isAppend };
}

function checkFolder(
  { name, url, template, secretRef, isAppend }: ItemInput<RegisteredDestination>,
  engine: FileEngineName,
) {
  const folder = checkPath("destination.url", url);
  if (secretRef !== "") {
    const message = `the ${engine} engine does not encrypt, so it needs no secret: leave secret_ref empty`;
    fail({ reason: "FIELD_INVALID", field: "destination.secret_ref", message });
  }
  if (isAppend && engine !== "wim") {
    const message = "append is for .wim files: a .tar.zst file copies what has not changed instead";
    fail({ reason: "FIELD_INVALID", field: "destination.append", message });
  }
  const fallback = isAppend ? appendTemplate : defaultTemplateOf[engine];
  const chosen = template === "" ? fallback : template;
  const example = expandTemplate(chosen, { name: "name", timeMs: 0 });
  if (chooseEngine(`/${example}`, "").engine !== engine) {
    const message = `the template ${JSON.stringify(chosen)} does not make names for the ${engine} engine: end it as ${defaultTemplateOf[engine]}`;
    fail({ reason: "FIELD_INVALID", field: "destination.template", message });
  }
  return { name, engine, url: folder, template: chosen, secretRef, isAppend };
}
