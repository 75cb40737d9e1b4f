/** What decides which of several service configs a client is to use (gRFC A2). */
export interface ClientTraits {
  /** Lower case. */
  readonly language: string;
  readonly hostname: string;
  /** From 0 up to 100: below a choice's percentage, the client is among those that use it. */
  readonly percentile: number;
}

const attributePrefix = "grpc_config=";

const choiceFields: readonly string[] = ["clientLanguage", "percentage", "clientHostname", "serviceConfig"];

/**
 * The service config for this client, as JSON text, from the TXT records of a name (each a list of strings that belong
 * together). Undefined when none of them is for it.
 *
 * @throws TypeError when a record cannot be read: then none of them may be used
 */
export function chooseServiceConfig(records: readonly (readonly string[])[], client: ClientTraits): string | undefined {
  for (const record of records) {
    const text = record.join("");
    if (!text.startsWith(attributePrefix)) continue;
    const choices = readChoices(text.slice(attributePrefix.length));
    const choice = choices.find((one) => isFor(one, client));
    if (choice !== undefined) return JSON.stringify(choice.serviceConfig);
  }
  return undefined;
}

interface Choice {
  readonly languages: readonly string[];
  readonly percentage: number;
  readonly hostnames: readonly string[];
  readonly serviceConfig: object;
}

function readChoices(text: string): readonly Choice[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw new TypeError(
      `its ${attributePrefix} is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (!Array.isArray(list)) throw new TypeError(`its ${attributePrefix} is not a list of choices`);
  return list.map(readChoice);
}

function readChoice(choice: unknown): Choice {
  if (typeof choice !== "object" || choice === null || Array.isArray(choice)) {
    throw new TypeError(`its ${attributePrefix} holds a choice that is not an object`);
  }
  const given = choice as Record<string, unknown>;
  for (const name of Object.keys(given)) {
    if (!choiceFields.includes(name)) throw new TypeError(`a choice has the unknown field ${JSON.stringify(name)}`);
  }
  const { percentage = 100, serviceConfig } = given;
  if (typeof percentage !== "number" || !Number.isInteger(percentage) || percentage < 0 || percentage > 100) {
    throw new TypeError("percentage has to be a whole number from 0 to 100");
  }
  if (typeof serviceConfig !== "object" || serviceConfig === null || Array.isArray(serviceConfig)) {
    throw new TypeError("serviceConfig has to be an object");
  }
  return {
    languages: readTexts(given, "clientLanguage"),
    percentage,
    hostnames: readTexts(given, "clientHostname"),
    serviceConfig,
  };
}

function readTexts(given: Record<string, unknown>, name: string): readonly string[] {
  const value = given[name] ?? [];
  if (!Array.isArray(value) || value.some((one) => typeof one !== "string")) {
    throw new TypeError(`${name} has to be a list of texts`);
  }
  return value;
}

/** An empty list matches every client. */
function isFor({ languages, percentage, hostnames }: Choice, client: ClientTraits): boolean {
  const hasLanguage = languages.length === 0 || languages.some((one) => one.toLowerCase() === client.language);
  const hasHostname = hostnames.length === 0 || hostnames.includes(client.hostname);
  return hasLanguage && hasHostname && client.percentile < percentage;
}
