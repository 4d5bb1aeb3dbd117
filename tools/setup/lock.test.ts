import { expect, test } from 'vitest'
import { differences, installPlan } from './lock.mjs'

const linux = { platform: 'linux', arch: 'x64' }
const lock = {
  packages: {
    '': { name: 'slipway' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/for-mac': { version: '1.0.0', integrity: 'sha512-m', os: ['darwin'], optional: true },
    'node_modules/not-windows': { version: '1.0.0', integrity: 'sha512-n', os: ['!win32'] },
    'node_modules/one-name': { version: '1.0.0', integrity: 'sha512-o', os: 'linux', cpu: 'x64', optional: true },
    'node_modules/linked': { link: true },
  },
}
const all = Object.fromEntries(Object.entries(lock.packages).filter(([name]) => name.startsWith('node_modules')))

test('the plan is what npm installs on this platform', () => {
  expect(installPlan(lock, linux).map(([name]) => name)).toEqual([
    'node_modules/a',
    'node_modules/not-windows',
    'node_modules/one-name',
  ])
})

test('equal modules need no installation', () => {
  expect(differences(lock, { packages: all }, linux)).toEqual([])
})

test('missing, other and changed packages are differences, an absent optional one is not', () => {
  expect(differences(lock, undefined, linux)).toEqual(['node_modules/a', 'node_modules/not-windows'])
  const other = { packages: { ...all, 'node_modules/a': { version: '2.0.0', integrity: 'sha512-b' } } }
  expect(differences(lock, other, linux)).toEqual(['node_modules/a'])
})
