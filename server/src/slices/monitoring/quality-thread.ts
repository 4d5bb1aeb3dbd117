import { parentPort, workerData } from 'node:worker_threads'
import { type QualityInput, qualityOf } from './quality.ts'

parentPort!.postMessage(qualityOf(workerData as QualityInput))
