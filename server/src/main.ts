#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

// Halves the time to the first answer; the cache is keyed by the content of each file.
enableCompileCache()

const { main } = await import('./cli/program.ts')
process.exitCode = await main(process.argv.slice(2))
