import { describe, expect, test } from 'vitest'
import { alongOf, type DrawnTrace, listOf, traceOf } from './figure-data.ts'
import { imageType, kindOf } from './kinds.ts'
import { csvCells, figureIn, figureOf, jsonCells } from './parse.ts'

describe('tables out of files', () => {
  test('CSV with quotes, line ends in fields and an unfinished last line', () => {
    const text = 'name,note\r\n"a ""b"", c","two\nlines"\r\nplain,\nlast,x'
    expect(csvCells(text, ',', 10, true)).toEqual({
      columns: ['name', 'note'],
      rows: [
        ['a "b", c', 'two\nlines'],
        ['plain', ''],
        ['last', 'x'],
      ],
      more: false,
    })
    expect(csvCells(text, ',', 10, false).rows).toHaveLength(2)
    expect(csvCells(text, ',', 1, true)).toMatchObject({ rows: [['a "b", c', 'two\nlines']], more: true })
    expect(csvCells('', ',', 10, true)).toEqual({ columns: [], rows: [], more: false })
  })

  test('what log_table writes, records, and neither', () => {
    const logged = { columns: ['q', 'img'], data: [['x', { type: 'image', filepath: 'a.png' }]] }
    expect(jsonCells(logged, 5)).toEqual({ columns: ['q', 'img'], rows: [['x', 'a.png']], more: false })
    expect(jsonCells([{ a: 1 }, { b: { c: 2 } }], 1)).toEqual({ columns: ['a', 'b'], rows: [[1, null]], more: true })
    expect([jsonCells({ ok: true }, 5), jsonCells([1, 2], 5), jsonCells(null, 5)]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
})

describe('figures of plotly', () => {
  const figure = { data: [{ type: 'bar', x: ['a', 'b'], y: [1, 2] }], layout: { title: { text: 'T' } } }

  test('are found in JSON and in its HTML export', () => {
    expect(figureOf(figure)).toEqual(figure)
    expect(figureOf({ columns: ['a'], data: [[1]] })).toBeUndefined()
    const call = `Plotly.newPlot( "id", ${JSON.stringify([{ y: [1], name: 'a ] "q' }])}, {"title":"x"}, {"responsive": true})`
    expect(figureIn(`<script>window.x=1;</script><script>${call}</script>`)).toEqual({
      data: [{ y: [1], name: 'a ] "q' }],
      layout: { title: 'x' },
    })
    expect(figureIn('<p>plain</p>')).toBeUndefined()
  })

  test('numbers in base64, histograms, and names along an axis', () => {
    const bdata = btoa(String.fromCharCode(...new Uint8Array(new Float64Array([1.5, -2, 3, 4]).buffer)))
    expect(listOf({ dtype: 'f8', bdata })).toEqual([1.5, -2, 3, 4])
    expect(listOf({ dtype: 'f8', bdata, shape: '2, 2' })).toEqual([
      [1.5, -2],
      [3, 4],
    ])
    const counted = traceOf({ type: 'histogram', x: [1, 1, 2, 5] }, 0) as DrawnTrace
    expect(counted.y.reduce((sum, value) => sum + value, 0)).toBe(4)
    expect(traceOf({ type: 'pie', values: [1] }, 0)).toBeUndefined()
    const along = alongOf([traceOf(figure.data[0]!, 0) as DrawnTrace])
    expect([along.names, along.at('b')]).toEqual([['a', 'b'], 1])
    expect(alongOf([{ kind: 'line', name: '', x: ['2026-01-02', '2026-01-03'], y: [1, 2] }]).time).toBe(true)
  })
})

test('kinds of files by name', () => {
  const names = [
    'a/roc.SVG',
    'r.html',
    'README.md',
    'x.csv',
    't.json',
    'd.parquet',
    'model/MLmodel',
    'requirements.txt',
    'm.pkl',
  ]
  expect(names.map(kindOf)).toEqual(['image', 'page', 'markdown', 'table', 'json', 'parquet', 'text', 'text', 'none'])
  expect([imageType('a.svg'), imageType('b.JPG')]).toEqual(['image/svg+xml', 'image/jpeg'])
})
