/** The default name of the metadata with the key. */
export const defaultHeader = "x-service-key";
