import { test } from 'vitest'
import { pytest } from './pytest.ts'

for (const { name, failure } of await pytest('test_frames.py', 'test_worker.py', 'test_explain.py')) {
  test(name, () => {
    if (failure) throw new Error(failure)
  })
}
