import { fail } from "../failure/failure.ts";

export type Tags = Readonly<Record<string, string>>;

const maxTags = 64;
const maxValueCharacters = 256;
/** What a filter can name: `tags.NAME`. */
const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/** @throws FailureError FIELD_INVALID that says which tag is wrong */
export function checkTags(tags: Tags, field: string): Tags {
  const names = Object.keys(tags);
  if (names.length > maxTags) invalid(field, `${names.length} tags: use at most ${maxTags}`);
  for (const name of names) {
    const shown = JSON.stringify(name.slice(0, 80));
    if (!namePattern.test(name)) invalid(field, `the name ${shown}: use letters, digits and underscores, at most 63`);
    const value = tags[name] ?? "";
    if (value.length > maxValueCharacters || value.includes("\0"))
      invalid(field, `the value of ${shown}: use at most ${maxValueCharacters} characters and no NUL`);
  }
  return tags;
}

function invalid(field: string, problem: string): never {
  fail({ reason: "FIELD_INVALID", field, message: `invalid ${field}: ${problem}` });
}
