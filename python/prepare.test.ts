import { test } from 'vitest'
import { pytest } from './pytest.ts'

for (const { name, failure } of await pytest('test_prepare.py', 'test_scan.py')) {
  test(name, () => {
    if (failure) throw new Error(failure)
  })
}
