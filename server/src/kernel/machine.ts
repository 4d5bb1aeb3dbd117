import { arch, cpus, hostname, platform, release, totalmem } from 'node:os'

/** The machine of this process, as a record of what ran on it tells. */
export interface MachineFacts {
  os: string
  machine: string
  host: string
  cpus: number
  cpu: string | null
  memory_bytes: number
}

export function machineFacts(): MachineFacts {
  const processors = cpus()
  return {
    os: `${{ linux: 'Linux', darwin: 'macOS' }[platform() as string] ?? platform()}-${release()}`,
    machine: arch(),
    host: hostname(),
    cpus: processors.length,
    cpu: processors[0]?.model ?? null,
    memory_bytes: totalmem(),
  }
}
