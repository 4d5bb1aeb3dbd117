import { invalid } from '#kernel/errors.ts'
import { table } from './output.ts'
import type { CommandAction } from './program.ts'

interface Release {
  id: string
  endpoint: string
  model: string
  version: number
  state: string
  reason: string | null
  verdict: { passed: boolean; reason: string } | null
  proposed_ms: number
}

const API = '/api/slipway/v1'

export const listReleases: CommandAction<[{ endpoint?: string }]> = async ({ client, output }, { endpoint }) => {
  const query = endpoint === undefined ? '' : `?endpoint=${encodeURIComponent(endpoint)}`
  const { items } = await client.get<{ items: Release[] }>(`${API}/releases${query}`)
  output.answer(items, () =>
    items.length === 0
      ? 'There are no releases.'
      : table(
          ['release', 'endpoint', 'version', 'state', ''],
          items.map((one) => [
            one.id,
            one.endpoint,
            `${one.model}/${one.version}`,
            one.state,
            one.reason ?? one.verdict?.reason ?? '',
          ]),
        ),
  )
  return undefined
}

export const proposeRelease: CommandAction<[string, string, { reason?: string }]> = async (
  { client, output },
  endpoint,
  version,
  { reason },
) => {
  if (!/^[1-9]\d{0,8}$/.test(version))
    throw invalid(`'${version}' is not the number of a version`, {
      field: 'version',
      remedy: 'Say for example: slipway release propose delay 3',
    })
  const release = await client.post<Release>(`${API}/endpoints/${encodeURIComponent(endpoint)}/releases`, {
    version: Number(version),
    ...(reason !== undefined && { reason }),
  })
  output.answer(release, () => `${release.id}: version ${release.version} at ${release.endpoint} is ${release.state}`)
  return undefined
}

export const rollBackRelease: CommandAction<[string, { reason: string }]> = async (
  { client, output },
  id,
  { reason },
) => {
  const release = await client.post<Release>(`${API}/releases/${encodeURIComponent(id)}/rollback`, { reason })
  output.answer(release, () => `${release.id}: version ${release.version} at ${release.endpoint} is ${release.state}`)
  return undefined
}
