import type { CsvForm, FileSource } from '#kernel/analytics/index.ts'
import type { Blobs } from '#kernel/blobs/index.ts'
import { DomainError } from '#kernel/errors.ts'
import type { DatasetFile, DatasetVersion } from './model.ts'

/** A version's files where local processes can read them, until `done`. */
export interface Lent {
  /** In the order of the version's paths. */
  files: { path: string; local_path: string }[]
  done(): Promise<void>
}

export async function lendFiles(blobs: Pick<Blobs, 'lend'>, files: readonly DatasetFile[]): Promise<Lent> {
  const lent: { path: string; local_path: string; done(): Promise<void> }[] = []
  const done = async () => {
    await Promise.all(lent.splice(0).map((one) => one.done()))
  }
  try {
    for (const { path, digest } of files) {
      const { path: local_path, done: back } = await blobs.lend(digest)
      lent.push({ path, local_path, done: back })
    }
  } catch (error) {
    await done()
    throw error
  }
  return { files: lent.map(({ path, local_path }) => ({ path, local_path })), done }
}

/** How analytics reads a version. With the schema known every column has its type, so that each reading sees the same values. */
export function sourceOf(version: Pick<DatasetVersion, 'format' | 'csv' | 'schema'>, lent: Lent): FileSource {
  const files = lent.files.map(({ local_path }) => local_path)
  if (version.format === 'parquet') return { files, format: 'parquet' }
  const types = version.schema?.map(({ name, type }) => [name, type])
  const csv: CsvForm = { ...version.csv, ...(types && { types: Object.fromEntries(types) }) }
  return { files, format: 'csv', csv }
}

/** The same problem with the names that the user gave: where a file lies here is nobody's business. */
export function inUsersNames(error: unknown, lent: Lent): unknown {
  if (!(error instanceof DomainError)) return error
  let { message } = error
  for (const { path, local_path } of lent.files) message = message.replaceAll(local_path, path)
  const at_fault = lent.files.find(({ local_path }) => local_path === error.facts?.file)
  return new DomainError(error.problem, message, {
    ...(error.field !== undefined && { field: error.field }),
    ...(error.remedy !== undefined && { remedy: error.remedy }),
    ...(at_fault && { facts: { file: at_fault.path } }),
    ...(error.cause !== undefined && { cause: error.cause }),
  })
}
