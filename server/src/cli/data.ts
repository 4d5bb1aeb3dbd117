import { openAsBlob } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join, relative, resolve, sep } from 'node:path'
import { DomainError, invalid } from '#kernel/errors.ts'
import type { Client } from './client.ts'
import { digestOf } from './code-snapshot.ts'
import { EXIT } from './exit.ts'
import type { Output } from './output.ts'
import { pair } from './pairs.ts'
import type { CommandAction } from './program.ts'

interface AddOptions {
  tag: string[]
  reason?: string
  timeColumn?: string
  wait: boolean
}

export interface Version {
  id: string
  name: string
  number: number
  state: 'pending' | 'ready' | 'failed'
  failure: string | null
  verdict: 'pending' | 'passed' | 'failed' | 'none'
  row_count: number | null
}

const LOOK_MS = 200

export const addData: CommandAction<[string, string[], AddOptions]> = async (
  { cwd, client, output },
  name,
  paths,
  options,
) => {
  const tags = Object.fromEntries(options.tag.map((text) => pair(text, '--tag')))
  const version = await uploadVersion(client, output, {
    name,
    paths: paths.map((path) => resolve(cwd, path)),
    tags,
    ...(options.reason !== undefined && { reason: options.reason }),
    ...(options.timeColumn !== undefined && { time_column: options.timeColumn }),
  })
  const settled = options.wait ? await settle(client, output, version) : version
  output.answer(settled, () => `${name}@${settled.number}: ${words(settled)}`)
  return settled.state === 'failed' || settled.verdict === 'failed' ? EXIT.failed : undefined
}

const words = (version: Version): string =>
  version.state === 'failed'
    ? `cannot be read: ${version.failure}`
    : version.state === 'pending'
      ? 'is registered'
      : `${version.row_count?.toLocaleString('en')} rows, checks ${version.verdict === 'none' ? 'not stated' : version.verdict}`

export async function uploadVersion(
  client: Client,
  output: Output,
  input: { name: string; paths: string[]; tags?: Record<string, string>; reason?: string; time_column?: string },
): Promise<Version> {
  const files: { path: string; full: string; size: number }[] = []
  for (const path of input.paths) {
    const facts = await stat(path).catch(() => undefined)
    if (!facts) throw new DomainError('not-found', `there is no ${path}`)
    if (facts.isFile()) files.push({ path: basename(path), full: path, size: facts.size })
    else
      for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
        const full = join(entry.parentPath, entry.name)
        if (entry.isFile())
          files.push({ path: relative(path, full).split(sep).join('/'), full, size: (await stat(full)).size })
      }
  }
  if (files.length === 0) throw invalid('there is no file to register')
  const progress = output.progress('upload')
  const named: { path: string; digest: string }[] = []
  for (const [at, file] of files.entries()) {
    progress.update(`${at + 1} of ${files.length}: ${file.path} (${(file.size / 1e6).toFixed(1)} MB)`)
    const digest = await digestOf(file.full)
    await client.upload(`/api/slipway/v1/datasets/uploads/${digest}`, (await openAsBlob(file.full)).stream())
    named.push({ path: file.path, digest })
  }
  progress.done()
  const { name, tags, reason, time_column } = input
  const answer = await client.post<Version | { version: Version }>(
    `/api/slipway/v1/datasets/${encodeURIComponent(name)}/versions`,
    {
      files: named,
      ...(tags && { tags }),
      ...(reason !== undefined && { reason }),
      ...(time_column !== undefined && { time_column }),
    },
  )
  return 'version' in answer ? answer.version : answer
}

/** Waits until the version is profiled and judged. */
export async function settle(client: Client, output: Output, version: Version): Promise<Version> {
  const progress = output.progress(`${version.name}@${version.number}`)
  for (;;) {
    const now = await client.get<Version>(`/api/slipway/v1/dataset-versions/${version.id}`)
    if (now.state === 'failed' || (now.state === 'ready' && now.verdict !== 'pending')) {
      progress.done()
      return now
    }
    progress.update(now.state === 'pending' ? 'reading' : 'checking')
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}
