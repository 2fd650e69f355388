/** Log rotation: a log that has grown to 10 MiB is put aside and the runtime writes a new one; five files of a container are kept. */
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { NodeContext } from '../context.ts'
import type { PodWorker } from '../pods/worker.ts'
import { podLogDirectory } from '../pods/names.ts'

export interface RotationLimits { readonly bytes: number; readonly files: number }
const usual: RotationLimits = { bytes: 10 * 2 ** 20, files: 5 }

/** Looks at the log of every running container once. */
export async function rotateLogs(context: NodeContext, workers: Iterable<PodWorker>, limits = usual): Promise<void> {
  const running = await context.runtime.listContainers()
  const pods = new Map([...workers].map((w) => [w.pod.metadata.uid, w.pod]))
  for (const container of running) {
    const pod = pods.get(container.labels['io.kubernetes.pod.uid'])
    if (!pod || container.state !== 'running') continue
    const file = join(podLogDirectory(context.directories.logs, pod), container.name, `${container.attempt}.log`)
    const info = await stat(file).catch(() => undefined)
    if (info && info.size >= limits.bytes) await rotate(context, container.id, file, limits.files)
  }
}

async function rotate(context: NodeContext, id: string, file: string, keep: number): Promise<void> {
  const stamp = new Date(context.clock.now()).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')
  const aside = `${file}.${stamp}`
  await rename(file, aside)
  try {
    await context.runtime.reopenLog(id)
  } catch (error) {
    await rename(aside, file)
    throw error
  }
  const old = (await readdir(dirname(file))).filter((name) => name.startsWith(`${basename(file)}.`)).toSorted()
  for (const name of old.slice(0, Math.max(0, old.length - (keep - 1)))) await rm(join(dirname(file), name), { force: true })
}
