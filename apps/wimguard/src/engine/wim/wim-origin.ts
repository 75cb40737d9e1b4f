import { type ArchiveOrigin, checkOrigin } from "../../archive/archive-origin.ts";

/** Formats what an image says of the backup that has written it, as properties of the image. */
export function formatImageOrigin({ uuid, source, createTime }: ArchiveOrigin): string[] {
  const properties = { UUID: uuid, SOURCE: source, CREATED: createTime };
  return Object.entries(properties).map(([name, value]) => `--image-property=WIMGUARD/${name}=${value}`);
}

/** What the XML document of a file says. */
export interface ImageInfo {
  readonly images: number;
  /** Of the first image; undefined for one that WimGuard has not written. */
  readonly origin: ArchiveOrigin | undefined;
}

/** Parses what `wimlib-imagex info --xml` prints. */
export function parseImageInfo(xml: string): ImageInfo {
  const images = [...xml.matchAll(/<IMAGE INDEX="\d+">/g)].length;
  const image = /<IMAGE INDEX="1">([\s\S]*?)<\/IMAGE>/.exec(xml)?.[1] ?? "";
  const ours = /<WIMGUARD>([\s\S]*?)<\/WIMGUARD>/.exec(image)?.[1] ?? "";
  const origin = checkOrigin({
    uuid: textOf(ours, "UUID"),
    source: textOf(ours, "SOURCE"),
    createTime: textOf(ours, "CREATED"),
    description: textOf(image, "DESCRIPTION") ?? "",
  });
  return { images, origin };
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
