/** Looking up, through the API, what a report of the demonstration names. */
import type { Client } from '../../src/cli/client.ts'

const API = '/api/slipway/v1'

/** Throws when nothing is found under the id, or when no place is known where ids of its kind are looked up. */
export async function lookUp(client: Client, id: string): Promise<void> {
  const listed = async (path: string, within: string) => {
    const items = (await client.get<Record<string, { id: string }[]>>(`${API}${path}`))[within] ?? []
    if (!items.some((item) => item.id === id)) throw new Error(`${id} is not in ${path}`)
  }
  const places: [RegExp, () => Promise<unknown>][] = [
    [/^dsv_/, () => client.get(`${API}/dataset-versions/${id}`)],
    [/^prn_/, () => client.get(`${API}/pipeline-runs/${id}`)],
    [/^rel_/, () => client.get(`${API}/releases/${id}`)],
    [/^rtr_/, () => listed('/retrainings?limit=1000', 'items')],
    [/^alt_/, () => listed('/alerts?limit=1000', 'items')],
    [/^rev_/, () => listed('/endpoints/delay', 'revisions')],
    [/^[0-9a-f]{32}$/, () => client.get(`/api/2.0/mlflow/runs/get?run_id=${id}`)],
    [
      /^[^/]+\/\d+$/,
      () => {
        const [name, version] = id.split('/')
        return client.get(`/api/2.0/mlflow/model-versions/get?name=${name}&version=${version}`)
      },
    ],
  ]
  const place = places.find(([pattern]) => pattern.test(id))
  if (!place) throw new Error(`nobody says where ${id} is looked up`)
  await place[1]()
}
