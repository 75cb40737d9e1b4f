/** One choice of an `Accept` or `Accept-Encoding` field. */
interface Preference {
  readonly name: string;
  readonly quality: number;
}

const maxPreferences = 32;

function parsePreferences(field: string): Preference[] {
  const preferences: Preference[] = [];
  for (const part of field.split(",", maxPreferences)) {
    const [name = "", ...parameters] = part.split(";").map((one) => one.trim());
    if (name === "") continue;
    const quality = parameters.find((one) => /^q=/i.test(one))?.slice(2);
    const value = quality === undefined ? 1 : Number(quality);
    preferences.push({ name: name.toLowerCase(), quality: value >= 0 && value <= 1 ? value : 0 });
  }
  return preferences;
}

/** How much a client wants a media type: the most specific range decides (RFC 9110 §12.5.1). */
function qualityOf(preferences: readonly Preference[], type: string): number {
  const [main = ""] = type.split("/", 1);
  for (const range of [type, `${main}/*`, "*/*"]) {
    const found = preferences.find((one) => one.name === range);
    if (found !== undefined) return found.quality;
  }
  return 0;
}

/**
 * The type of those offered that a client wants most; of equal ones the first. Undefined: it accepts none.
 *
 * @param accept the field's value; undefined for a client that sends none, and takes anything
 */
export function chooseType<T extends string>(accept: string | undefined, offered: readonly T[]): T | undefined {
  if (accept === undefined || accept === "*/*" || accept.trim() === "") return offered[0];
  const preferences = parsePreferences(accept);
  return mostWanted(offered, (type) => qualityOf(preferences, type));
}

/** The content coding of those offered that a client wants most; undefined for none, and where it says nothing. */
export function chooseCoding<T extends string>(
  acceptEncoding: string | undefined,
  offered: readonly T[],
): T | undefined {
  if (acceptEncoding === undefined) return undefined;
  const preferences = parsePreferences(acceptEncoding);
  return mostWanted(offered, (coding) => {
    const found = preferences.find((one) => one.name === coding) ?? preferences.find((one) => one.name === "*");
    return found?.quality ?? 0;
  });
}

function mostWanted<T extends string>(offered: readonly T[], qualityOf: (one: T) => number): T | undefined {
  let best: T | undefined;
  let highest = 0;
  for (const one of offered) {
    const quality = qualityOf(one);
    if (quality <= highest) continue;
    best = one;
    highest = quality;
  }
  return best;
}
