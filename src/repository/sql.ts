/** A value that may be bound to a parameter of a query. */
export type SqlValue = string | number | bigint | boolean | null;

/**
 * A name as an SQL identifier: `quoted('my "table"')` is `"my ""table"""`. Names of tables and columns cannot be bound
 * as parameters, so this is the one way they get into a query text.
 * @throws RangeError if the name is empty or holds a NUL character.
 */
export function quoted(name: string): string {
  if (name === "" || name.includes("\0")) throw new RangeError(`"${name}" cannot name a table or column`);
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as an SQL literal, for the few places where an engine takes no parameter. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
