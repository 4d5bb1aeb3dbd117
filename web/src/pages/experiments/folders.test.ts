import { expect, test } from 'vitest'
import { subfolders, waysTo } from './folders.ts'

const all = [
  { folder: 'team/vision', experiments: 2 },
  { folder: 'team/tabular', experiments: 1 },
  { folder: 'team', experiments: 4 },
  { folder: 'teamwork', experiments: 1 },
  { folder: 'a/b/c', experiments: 3 },
]

test('folders count what is in and below them', () => {
  expect(subfolders(all, '')).toEqual([
    { path: 'a', name: 'a', experiments: 3 },
    { path: 'team', name: 'team', experiments: 7 },
    { path: 'teamwork', name: 'teamwork', experiments: 1 },
  ])
  expect(subfolders(all, 'team').map(({ path }) => path)).toEqual(['team/tabular', 'team/vision'])
  expect(subfolders(all, 'a')).toEqual([{ path: 'a/b', name: 'b', experiments: 3 }])
  expect(subfolders(all, 'team/vision')).toEqual([])
})

test('the way to a folder', () => {
  expect(waysTo('team/vision')).toEqual([
    { name: 'team', path: 'team' },
    { name: 'vision', path: 'team/vision' },
  ])
  expect(waysTo('')).toEqual([])
})
