/** A name as DuckDB's SQL writes it: always quoted, so that any column name of a user's file is safe. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** A text as DuckDB's SQL writes it. For what cannot be a parameter, such as a file list. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
