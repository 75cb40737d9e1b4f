const defaultPageSize = 10;

/** A larger page would let one small request make the service build an answer of any size. */
const maxPageSize = 100;

/** Which page is meant by what a caller asked for: missing and negative values mean the defaults, large ones the cap. */
export function pageOf(page: number, pageSize: number): { page: number; pageSize: number } {
  return {
    page: page <= 0 ? 1 : page,
    pageSize: pageSize <= 0 ? defaultPageSize : Math.min(pageSize, maxPageSize),
  };
}
