import { type ArchiveOrigin, checkOrigin } from "../../archive/archive-origin.ts";

/** Formats what an image says of the backup that has written it, as properties of the image. */
export function formatImageOrigin({ uuid, source, createTime }: ArchiveOrigin): string[] {
  const properties = { UUID: uuid, SOURCE: source, CREATED: createTime };
  return Object.entries(properties).map(([name, value]) => `--image-property=WIMGUARD/${name}=${value}`);
}

/**
 * Parses what `wimlib-imagex info --xml` prints: what each image of a file says of itself, in their order; undefined for one that WimGuard has
 * not written.
 */
export function parseImages(xml: string): (ArchiveOrigin | undefined)[] {
  return [...xml.matchAll(/<IMAGE INDEX="\d+">([\s\S]*?)<\/IMAGE>/g)].map(([, image = ""]) => {
    const ours = /<WIMGUARD>([\s\S]*?)<\/WIMGUARD>/.exec(image)?.[1] ?? "";
    return checkOrigin({
      uuid: textOf(ours, "UUID"),
      source: textOf(ours, "SOURCE"),
      createTime: textOf(ours, "CREATED"),
      description: textOf(image, "DESCRIPTION") ?? "",
    });
  });
}

function textOf(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text?.replace(/&(lt|gt|amp|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});/g, (_, entity: string) => charOf(entity));
}

const named: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function charOf(entity: string): string {
  if (!entity.startsWith("#")) return named[entity] ?? "";
  const code = entity.startsWith("#x") ? Number.parseInt(entity.slice(2), 16) : Number(entity.slice(1));
  return code <= 0x10ffff ? String.fromCodePoint(code) : "";
}
