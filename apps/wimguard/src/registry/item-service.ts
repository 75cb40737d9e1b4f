import { createHash, randomUUID } from "node:crypto";
import type { NamedItem, NamedStore } from "../catalog/named-store.ts";
import type { ListPage, ListRequest } from "../catalog/search-rows.ts";
import { fail } from "../failure/failure.ts";

/** What a client says of an item. */
export type ItemInput<Item extends NamedItem> = Omit<Item, "uuid" | "revision">;

/** Registered items of one kind, as clients see them. Everything rejects with a FailureError. */
export interface ItemService<Item extends NamedItem> {
  /** The same request gets the same item. With `isOnlyChecked` nothing is created, and the uuid is empty. */
  create(input: ItemInput<Item>, requestId: string, isOnlyChecked?: boolean): Item;
  get(uuid: string): Item;
  list(request: ListRequest): ListPage<Item>;
  /** @param etag of the item that the change was made for; empty for any */
  update(uuid: string, etag: string, input: ItemInput<Item>, isOnlyChecked?: boolean): Item;
  delete(uuid: string, etag: string): void;
}

export interface ItemServiceParts<Item extends NamedItem> {
  readonly store: NamedStore<Item>;
  readonly list: (request: ListRequest) => ListPage<Item>;
  /** What an item is called in messages, which is also its field in requests. */
  readonly noun: "source" | "destination" | "schedule";
  /** Returns what a client says in its normal form. */
  check(input: ItemInput<Item>): ItemInput<Item>;
}

const maxRequestIdCharacters = 128;
/** So that it can neither be an absolute path nor a part of one. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export function itemEtag({ revision }: NamedItem): string {
  return String(revision);
}

export function createItemService<Item extends NamedItem>(parts: ItemServiceParts<Item>): ItemService<Item> {
  const { store, list, noun, check } = parts;

  function checked(input: ItemInput<Item>, ownUuid: string): ItemInput<Item> {
    const { name } = input;
    if (!namePattern.test(name)) {
      const message = `invalid name ${JSON.stringify(name.slice(0, 80))}: use up to 63 letters, digits, ".", "_" and "-"`;
      fail({ reason: name === "" ? "FIELD_REQUIRED" : "FIELD_INVALID", field: `${noun}.name`, message });
    }
    const holder = store.findByName(name);
    if (holder !== undefined && holder.uuid !== ownUuid) {
      const message = `there is a ${noun} ${JSON.stringify(name)} already: choose another name`;
      fail({ reason: "NAME_TAKEN", uuid: holder.uuid, message });
    }
    return check(input);
  }

  function get(uuid: string): Item {
    if (uuid === "") fail({ reason: "FIELD_REQUIRED", field: "uuid", message: "uuid is required" });
    const shown = uuid.slice(0, 64);
    const message = `${noun} ${JSON.stringify(shown)} not found`;
    return store.get(uuid) ?? fail({ reason: "ITEM_NOT_FOUND", uuid: shown, message });
  }

  function getUnchanged(uuid: string, etag: string): Item {
    const item = get(uuid);
    if (etag === "" || etag === itemEtag(item)) return item;
    const message = `${noun} ${uuid} was changed meanwhile: read it again, then repeat this`;
    fail({ reason: "ETAG_MISMATCH", uuid, message });
  }

  return {
    create(input, requestId, isOnlyChecked = false) {
      if (requestId.length > maxRequestIdCharacters) {
        const message = `request_id is longer than ${maxRequestIdCharacters} characters`;
        fail({ reason: "FIELD_INVALID", field: "request_id", message });
      }
      const digest = createHash("sha256").update(JSON.stringify(input)).digest("hex");
      const before = requestId === "" ? undefined : store.findByRequest(requestId);
      if (before?.digest === digest) return before.item;
      if (before !== undefined) {
        const message = `request_id ${requestId} was used for another ${noun}: choose a new one`;
        fail({ reason: "REQUEST_ID_REUSED", message });
      }
      const item = { ...checked(input, ""), uuid: isOnlyChecked ? "" : randomUUID(), revision: 1 } as Item;
      if (!isOnlyChecked) store.insert(item, requestId === "" ? undefined : { id: requestId, digest });
      return item;
    },

    get,
    list,

    update(uuid, etag, input, isOnlyChecked = false) {
      const { revision } = getUnchanged(uuid, etag);
      const item = { ...checked(input, uuid), uuid, revision: revision + 1 } as Item;
      if (!isOnlyChecked) store.update(item);
      return item;
    },

    delete(uuid, etag) {
      getUnchanged(uuid, etag);
      store.remove(uuid);
    },
  };
}
