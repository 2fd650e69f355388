/** What the machine under the node is and has. */
import { readdir, readFile, statfs } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { goArchitecture } from '../images/pause.ts'

export interface Machine {
  readonly cpus: number
  readonly memoryBytes: number
  readonly storageBytes: number
  /** `2Mi` → bytes set aside. */
  readonly hugepages: Readonly<Record<string, number>>
  readonly machineID: string
  readonly systemUUID: string
  readonly bootID: string
  readonly kernelVersion: string
  readonly osImage: string
  readonly architecture: string
}

const line = async (file: string): Promise<string> => (await readFile(file, 'utf8').catch(() => '')).trim()

/** Reads it once; what a machine does not tell is empty. */
export async function readMachine(dataDir: string): Promise<Machine> {
  const [machineID, uuid, bootID, osRelease, fs] = await Promise.all([
    line('/etc/machine-id'), line('/sys/class/dmi/id/product_uuid'), line('/proc/sys/kernel/random/boot_id'), line('/etc/os-release'), statfs(dataDir),
  ])
  return {
    cpus: cpus().length,
    memoryBytes: totalmem(),
    storageBytes: fs.blocks * fs.bsize,
    hugepages: await hugepages(),
    machineID,
    systemUUID: uuid || machineID,
    bootID,
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? 'Linux',
    architecture: goArchitecture(),
  }
}

async function hugepages(): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {}
  for (const name of await readdir('/sys/kernel/mm/hugepages').catch(() => [])) {
    const kilobytes = Number(/hugepages-(\d+)kB/.exec(name)?.[1])
    const text = kilobytes >= 1 << 20 ? `${kilobytes >> 20}Gi` : kilobytes >= 1024 ? `${kilobytes >> 10}Mi` : `${kilobytes}Ki`
    sizes[text] = Number(await line(`/sys/kernel/mm/hugepages/${name}/nr_hugepages`)) * kilobytes * 1024
  }
  return sizes
}

export interface Pressure { readonly memory: boolean; readonly disk: boolean; readonly pid: boolean }

/** What is running out: less than 100 MiB of memory, 5 % of a disk, or 5 % of process ids. */
export async function readPressure(directories: readonly string[]): Promise<Pressure> {
  const available = Number(/MemAvailable:\s+(\d+)/.exec(await line('/proc/meminfo'))?.[1] ?? Infinity) * 1024
  const disks = await Promise.all(directories.map((d) => statfs(d).catch(() => undefined)))
  const most = Number(await line('/proc/sys/kernel/pid_max')) || Infinity
  const running = Number((await line('/proc/loadavg')).split(' ')[3]?.split('/')[1] ?? 0)
  return { memory: available < 100 * 2 ** 20, disk: disks.some((d) => d !== undefined && d.bavail / d.blocks < 0.05), pid: running > most * 0.95 }
}
