/**
 * Level 1: one SQLite file a data folder, opened by one process, every acknowledged write on disk.
 * Domains own their tables (migrations) and their SQL; nothing else imports `node:sqlite`.
 */
export { type Database, type DatabaseOptions, openDatabase } from "./database.ts";
export {
  type DatabaseReader,
  type DatabaseReaderOptions,
  openDatabaseReader,
} from "./database_reader.ts";
export { snapshotDatabase } from "./snapshot.ts";
export { type Migration, migrationHash } from "./migration.ts";
export { type ExclusiveLock, lockFolder } from "./folder_lock.ts";
export type { Reader, RunResult, SqlValue, Transaction } from "./transaction.ts";
export {
  type Clause,
  type Comparator,
  type FilterLanguage,
  type FilterMessages,
  type KindRules,
  parseFilter,
} from "./search/filter.ts";
export { type OrderBy, parseOrderBy } from "./search/order_by.ts";
export { decodePageToken, encodePageToken, type Page, toPage } from "./search/page_token.ts";
export { allOf, comparisonSql, inList, type SqlPiece } from "./search/sql.ts";
