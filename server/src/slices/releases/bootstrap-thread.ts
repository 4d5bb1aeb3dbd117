import { parentPort, workerData } from 'node:worker_threads'
import type { BootstrapInput } from './bootstrap.ts'
import { resample } from './resampling.ts'

parentPort!.postMessage(resample(workerData as BootstrapInput))
