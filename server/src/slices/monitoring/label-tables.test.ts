import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { ada, openTraffic } from '#kit/monitoring-traffic.ts'
import { eachStore } from '#kit/store.ts'
import { createLabelTables } from './label-tables.ts'

eachStore('labels for a join', (open) => {
  test('are the same as a table and as a file, page by page, each prediction once with what was observed last', async () => {
    const traffic = await openTraffic(open)
    try {
      const id = (n: number) => `prd_${'0'.repeat(12)}7${String(n).padStart(19, '0')}`
      const seen = (second: number) => new Date(second * 1000).toISOString()
      const labels = Array.from({ length: 40 }, (_, n) => ({ prediction: `${id(n)}.${n % 3}`, value: `"${n},\n` }))
      await traffic.label(labels.map((label) => ({ ...label, observed_at: seen(1) })))
      // One prediction with more labels than a page has rows.
      for (let second = 2; second < 9; second++)
        await traffic.label([{ prediction: `${id(7)}.1`, value: second, observed_at: seen(second) }])
      await traffic.store.command(
        'monitoring.putLabels',
        traffic.monitoring.readLabels({ ...ada, workspace: 'elsewhere' }, [{ prediction: id(3), value: 'not mine' }]),
      )
      const expected = labels.slice(2, 31).map(({ prediction, value }) => [prediction, value])
      expected[5] = [`${id(7)}.1`, '8']
      const dir = `${traffic.dir}/joins`
      for (const [page_rows, table_max, files] of [
        [1000, 1000, 0],
        [5, 1000, 0],
        [5, 10, 1],
      ] as const) {
        const read = createLabelTables({ store: traffic.store, dir, page_rows, table_max })
        const table = await read({ workspace: 'w', from_id: `${id(2)}.2`, to_id: `${id(30)}.0` })
        const { rows } = await traffic.analytics.query({
          sql: 'SELECT prediction, truth FROM labels ORDER BY 1',
          files: table.files,
          tables: table.tables,
        })
        expect(rows).toEqual(expected)
        expect(await readdir(dir).catch(() => [])).toHaveLength(files)
        await table.done()
      }
      expect(await readdir(dir)).toEqual([])
    } finally {
      await traffic.end()
    }
  })
})
