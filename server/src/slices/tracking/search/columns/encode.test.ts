import { expect, test } from 'vitest'
import { seededRandom } from '#kernel/random.ts'
import { likePattern } from '../pattern.ts'
import { TextBuilder } from './build.ts'
import { type ColumnName, compareTexts, emptyColumn, type NumberColumn } from './column.ts'
import {
  type Cells,
  decodeLists,
  decodeNumbers,
  decodeTexts,
  packColumns,
  packKeys,
  readHead,
  readKeys,
  unpackPage,
} from './encode.ts'

const random = seededRandom(9)
const below = (n: number) => Math.floor(random.next() * n)

function cells(runs: number, share: number, value: () => Cells['values'][number]): Cells {
  const found: Cells = { places: [], values: [] }
  for (let place = 0; place < runs; place++) {
    if (random.next() >= share) continue
    found.places.push(place)
    found.values.push(value())
  }
  return found
}

test('columns come back from their pages as they were', () => {
  const numbers = [0, -1.5, 1e300, Number.MAX_VALUE, -Number.MAX_VALUE, 5e-324, Number.NaN]
  for (const runs of [1, 7, 300, 70_000]) {
    const columns = new Map<ColumnName, Cells>()
    for (const share of [1, 0.9, 0.05, 0]) {
      columns.set(`mall${share}`, cells(runs, share, random.next))
      columns.set(
        `msome${share}`,
        cells(runs, share, () => numbers[below(numbers.length)]!),
      )
      for (const many of [3, 400, 1e9]) {
        columns.set(
          `t${many} ${share}`,
          cells(runs, share, () => `é${below(many)}"\n`),
        )
      }
      if (runs < 1000)
        columns.set(
          `dname${share}`,
          cells(runs, share, () => ['a', 'b']),
        )
    }
    const { head, pages } = packColumns(runs, columns)
    const read = readHead(head)
    expect(read.runs).toBe(runs)
    const raw = pages.map(unpackPage)
    for (const [name, { places, values }] of columns) {
      const [page, offset, length, count] = read.columns.get(name)!
      expect(count).toBe(places.length)
      const bytes = raw[page]!.subarray(offset, offset + length)
      const expected = new Map(places.map((place, at) => [place, values[at]]))
      const at = (place: number): unknown => expected.get(place - 5)
      if (name[0] === 'm') {
        const column = emptyColumn('number', runs + 5) as NumberColumn
        decodeNumbers(bytes, runs, column, 5)
        for (let place = 0; place < runs + 5; place++) {
          const state = at(place) === undefined ? 0 : Number.isNaN(at(place)) ? 2 : 1
          if (column.state[place] !== state || !Object.is(column.values[place], at(place) ?? Number.NaN)) {
            expect([name, place, column.state[place], column.values[place]]).toEqual([name, place, state, at(place)])
          }
        }
      } else if (name[0] === 't') {
        const built = new TextBuilder(runs + 5)
        built.codeOf('another')
        decodeTexts(bytes, runs, built, 5)
        for (let place = 0; place < runs + 5; place++) {
          const text = built.codes[place]! < 0 ? undefined : built.texts[built.codes[place]!]
          if (text !== at(place)) expect([name, place, text]).toEqual([name, place, at(place)])
        }
      } else {
        expect(decodeLists(bytes)).toEqual(Array.from({ length: runs }, (_, place) => expected.get(place)))
      }
    }
  }
  expect(readKeys(Buffer.from(packKeys([1, 2 ** 40])))).toEqual([1, 2 ** 40])
})

test('texts order as their bytes do', () => {
  const parts = ['', 'a', 'b', 'Z', '10', 'é', '\ud7ff', '\ue000', '\uffee', '🦊', '🦉', '日']
  for (let i = 0; i < 5_000; i++) {
    const text = () => Array.from({ length: below(4) }, () => parts[below(parts.length)]).join('')
    const [a, b] = [text(), text()]
    expect(Math.sign(compareTexts(a, b)), `${a} ${b}`).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
  }
})

test('LIKE means what SQL says', () => {
  const pick = (letters: string) =>
    Array.from({ length: below(6) }, () => [...letters][below([...letters].length)]).join('')
  for (let i = 0; i < 20_000; i++) {
    const pattern = pick('aB%_🦊')
    const text = pick('abAB🦊')
    for (const ignore of [false, true]) {
      const expression = [...pattern].map((c) => (c === '%' ? '.*' : c === '_' ? '.' : c)).join('')
      const expected = new RegExp(`^${expression}$`, ignore ? 'sui' : 'su').test(text)
      expect(likePattern(pattern, ignore)(text), `${text} like ${pattern}`).toBe(expected)
    }
  }
})
