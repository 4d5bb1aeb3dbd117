/** Snapshots of code: which files, by digest, at which commit, with the diff of a tree that was not clean. */
import { createHash } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BlobRef, Blobs } from '#kernel/blobs/index.ts'
import { DomainError, invalid, notFound } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/who.ts'
import { placeholders, type Sql, type Tx } from '#kernel/store/index.ts'
import type { PipelinesDeps } from './deps.ts'
import { codeRecorded } from './events.ts'
import * as rows from './pipelines-store.ts'
import { CODE_BYTES_MAX, CODE_FILE_BYTES_MAX, type CodeManifest } from './schema.ts'

export interface Code {
  /** Which of the files this workspace has not uploaded yet: that another one has them is not told. */
  missing(workspace: string, manifest: CodeManifest): Promise<string[]>
  /** Takes the bytes of a file for a later `prepareCode`. Not in a transaction. */
  uploadCode(workspace: string, digest: string, source: Parameters<Blobs['put']>[0]): Promise<BlobRef>
  /** Checks paths, sizes and that the workspace has shown every byte; writes the manifest. Not in a transaction. Answers what `recordCode` takes. */
  prepareCode(workspace: string, who: Who, manifest: CodeManifest): Promise<rows.CodeSnapshot>
  recordCode(tx: Tx, who: Who, code: rows.CodeSnapshot): Promise<rows.CodeSnapshot>
  getCode(sql: Sql, workspace: string, digest: string): Promise<rows.CodeSnapshot>
  manifestOf(code: Pick<rows.CodeSnapshot, 'manifest_digest'>): Promise<CodeManifest>
  /** Writes the files into `dir`. */
  materialiseCode(code: Pick<rows.CodeSnapshot, 'manifest_digest'>, dir: string): Promise<void>
  /** One file's text, or undefined when the snapshot has none at this path. */
  readCodeFile(
    code: Pick<rows.CodeSnapshot, 'manifest_digest'>,
    path: string,
  ): Promise<{ digest: string; text: string } | undefined>
}

const MANIFEST_BYTES_MAX = 16 * 1024 ** 2
const FILE_TEXT_MAX = 4 * 1024 ** 2

export function createCode({
  store,
  blobs,
  clock,
  events,
}: Pick<PipelinesDeps, 'store' | 'blobs' | 'clock' | 'events'>): Code {
  const uploaded = (workspace: string, { files }: CodeManifest): Promise<Map<string, number>> =>
    store.read((sql) => uploadedSizes(sql, workspace, [...new Set(files.map(({ digest }) => digest))]))

  const manifestOf: Code['manifestOf'] = async ({ manifest_digest }) =>
    JSON.parse(Buffer.from(await blobs.read(manifest_digest, MANIFEST_BYTES_MAX)).toString()) as CodeManifest

  return {
    async missing(workspace, manifest) {
      checkManifest(manifest)
      const known = await uploaded(workspace, manifest)
      return [...new Set(manifest.files.map(({ digest }) => digest))].filter((digest) => !known.has(digest))
    },

    async uploadCode(workspace, digest, source) {
      const blob = await blobs.put(source, { expect: digest, max_bytes: CODE_FILE_BYTES_MAX })
      await store.write((tx) =>
        tx.run(
          'INSERT INTO code_upload (workspace, digest, size_bytes, at_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
          [workspace, blob.digest, blob.size_bytes, clock.now()],
        ),
      )
      return blob
    },

    async prepareCode(workspace, who, manifest) {
      checkManifest(manifest)
      const known = await uploaded(workspace, manifest)
      for (const file of manifest.files) {
        const size_bytes = known.get(file.digest)
        if (size_bytes === undefined)
          throw new DomainError('conflict', `the bytes of '${file.path}' were not uploaded`, {
            field: 'files',
            remedy: 'PUT them to /api/slipway/v1/code/blobs/<digest> first.',
          })
        if (size_bytes !== file.size_bytes)
          throw invalid(`'${file.path}' has ${size_bytes} bytes, not ${file.size_bytes}`, { field: 'files' })
      }
      const files = [...manifest.files].sort((a, b) => (a.path < b.path ? -1 : 1))
      const digest = `sha256:${createHash('sha256')
        .update(files.map((file) => `${file.executable ? 'x' : '-'} ${file.digest} ${file.path}\n`).join(''))
        .digest('hex')}`
      const { digest: manifest_digest } = await blobs.put(Buffer.from(JSON.stringify({ ...manifest, files })))
      const diff_digest = manifest.diff ? (await blobs.put(Buffer.from(manifest.diff))).digest : null
      return {
        workspace,
        digest,
        commit_id: manifest.commit ?? null,
        branch: manifest.branch ?? null,
        dirty: manifest.dirty ? 1 : 0,
        diff_digest,
        file_count: files.length,
        size_bytes: files.reduce((sum, file) => sum + file.size_bytes, 0),
        manifest_digest,
        created_by: who.name,
        created_ms: clock.now(),
      }
    },

    async recordCode(tx, who, code) {
      const known = await rows.codeByDigest(tx, who.workspace, code.digest)
      // The same files may be committed later, or lie at another commit: what was said last holds.
      if (known && known.commit_id === code.commit_id && known.dirty === code.dirty && known.branch === code.branch)
        return known
      await rows.putCode(tx, code)
      await events.record(tx, codeRecorded, {
        who,
        subject: { kind: 'code', id: code.digest },
        after: { code: code.digest, commit: code.commit_id, dirty: code.dirty === 1, files: code.file_count },
      })
      return code
    },

    async getCode(sql, workspace, digest) {
      const code = await rows.codeByDigest(sql, workspace, digest)
      if (!code) throw notFound(`no code snapshot ${digest}`, { field: 'code' })
      return code
    },

    manifestOf,

    async materialiseCode(code, dir) {
      const manifest = await manifestOf(code)
      for (const file of manifest.files) {
        const path = join(dir, ...file.path.split('/'))
        await mkdir(dirname(path), { recursive: true })
        await blobs.materialise(file.digest, path)
        await chmod(path, file.executable ? 0o755 : 0o644)
      }
    },

    async readCodeFile(code, path) {
      const file = (await manifestOf(code)).files.find((one) => one.path === path)
      return file && { digest: file.digest, text: Buffer.from(await blobs.read(file.digest, FILE_TEXT_MAX)).toString() }
    },
  }
}

const DIGESTS_AT_ONCE = 200

async function uploadedSizes(sql: Sql, workspace: string, digests: readonly string[]): Promise<Map<string, number>> {
  const sizes = new Map<string, number>()
  for (let from = 0; from < digests.length; from += DIGESTS_AT_ONCE) {
    const some = digests.slice(from, from + DIGESTS_AT_ONCE)
    const rows = await sql.all(
      `SELECT digest, size_bytes FROM code_upload WHERE workspace = ? AND digest IN ${placeholders(some)}`,
      [workspace, ...some],
    )
    for (const row of rows) sizes.set(row.digest as string, Number(row.size_bytes))
  }
  return sizes
}

/** Paths are relative, plain and each there once. */
function checkManifest(manifest: CodeManifest): void {
  const seen = new Set<string>()
  const folders = new Set<string>()
  let size = 0
  for (const [at, file] of manifest.files.entries()) {
    const parts = file.path.split('/')
    if (
      file.path.includes('\\') ||
      file.path.includes('\0') ||
      parts.some((part) => part === '' || part === '.' || part === '..')
    ) {
      throw invalid(`'${file.path}' is not a plain relative path`, { field: `files[${at}].path` })
    }
    if (seen.has(file.path)) throw invalid(`'${file.path}' is there twice`, { field: `files[${at}].path` })
    seen.add(file.path)
    for (let end = file.path.indexOf('/'); end > 0; end = file.path.indexOf('/', end + 1))
      folders.add(file.path.slice(0, end))
    size += file.size_bytes
  }
  for (const [at, file] of manifest.files.entries())
    if (folders.has(file.path)) throw invalid(`'${file.path}' is a file and a folder`, { field: `files[${at}].path` })
  if (size > CODE_BYTES_MAX)
    throw new DomainError('too-large', `the code has ${size} bytes; a snapshot may have ${CODE_BYTES_MAX}`, {
      remedy: 'Keep data out of the code folder: register it as a dataset.',
    })
}
