import { createHmac } from "node:crypto";

/** Variables with such a name are secrets. */
const secretName = /SECRET|TOKEN|PASS|KEY|CREDENTIAL/i;
/** The beginning of what stands for a secret. */
export const secretMark = "hmac:";

/** Replaces the values of secrets by their HMAC, which shows whether two are the same, and nothing else. */
export function hideSecrets(
  variables: Readonly<Record<string, string | undefined>>,
  key: Uint8Array,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value = ""]) => [name, secretName.test(name) ? secretMark + digestOf(value, key) : value]),
  );
}

function digestOf(value: string, key: Uint8Array): string {
  return createHmac("sha256", key).update(value).digest("hex");
}
