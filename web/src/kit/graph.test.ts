import { expect, test } from 'vitest'
import { layout } from './layout.ts'

const nodes = (ids: string) => [...ids].map((id) => ({ id }))
const edges = (text: string) => text.split(' ').map((pair) => ({ from: pair[0]!, to: pair[1]! }))
const columns = (place: Map<string, { x: number }>) => {
  const xs = [...new Set([...place.values()].map(({ x }) => x))].sort((a, b) => a - b)
  return Object.fromEntries([...place].map(([id, { x }]) => [id, xs.indexOf(x)]))
}

test('a node stands right of all that it waits for', () => {
  const { place } = layout(nodes('abcd'), edges('ab bc ac cd'))
  expect(columns(place)).toEqual({ a: 0, b: 1, c: 2, d: 3 })
})

test('a circle is laid out as a way with one edge back', () => {
  const { place } = layout(nodes('dabc'), edges('ab bc cd db'))
  expect(columns(place)).toEqual({ a: 0, b: 1, c: 2, d: 3 })
})

test('nothing lies upon another, and edges to nowhere are left out', () => {
  const { place, height } = layout(nodes('abcdef'), edges('ab ac ad ae xf'))
  expect(new Set([...place.values()].map(({ x, y }) => `${x} ${y}`)).size).toBe(6)
  expect(Math.max(...[...place.values()].map(({ y }) => y))).toBeLessThan(height)
})

test('hundreds of nodes in a chain are laid out', () => {
  const many = Array.from({ length: 500 }, (_, at) => ({ id: String(at) }))
  const chain = many.slice(1).map(({ id }) => ({ from: String(Number(id) - 1), to: id }))
  expect(layout(many, chain).place.size).toBe(500)
})
