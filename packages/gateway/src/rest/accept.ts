/** One item of an `Accept` or `Accept-Encoding` field. */
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

/** The quality value of a media type: the most specific range decides (RFC 9110 §12.5.1). 0: not acceptable. */
function qualityOf(preferences: readonly Preference[], type: string): number {
  const [main = ""] = type.split("/", 1);
  for (const range of [type, `${main}/*`, "*/*"]) {
    const found = preferences.find((one) => one.name === range);
    if (found !== undefined) return found.quality;
  }
  return 0;
}

/**
 * The offered type that the client prefers; the first one among equals. Undefined: the client accepts none of them.
 *
 * @param accept value of the `Accept` field; undefined if the client sends none, which means any type
 */
export function chooseType<T extends string>(accept: string | undefined, offered: readonly T[]): T | undefined {
  if (accept === undefined || accept === "*/*" || accept.trim() === "") return offered[0];
  const preferences = parsePreferences(accept);
  return mostWanted(offered, (type) => qualityOf(preferences, type));
}

/** The offered content coding that the client prefers; undefined if it accepts none or sends no `Accept-Encoding`. */
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
