/** Programs that are there to be killed: nothing they could do at their end is done. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHttpsClient } from '../../src/client/https.ts'
import { loadKubeconfig } from '../../src/client/kubeconfig.ts'

/** Ends a process as a power cut would; resolves when it is gone, at once when it is gone already. */
export async function killHard(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGKILL')
  await gone
}

export interface KilledPlane {
  /** Everything it keeps, its kubeconfig too. */
  readonly dir: string
  readonly kubeconfig: string
  /** Starts it; resolves with an administrator's client once it answers. */
  start(port: number): Promise<ReturnType<typeof createHttpsClient>>
  kill(): Promise<void>
  /** Kills it and removes what it kept. */
  remove(): Promise<void>
}

/** A control plane with a store on disk, in a process of its own (`test/faults/plane.ts`). */
export function killedPlane(name: string): KilledPlane {
  const dir = mkdtempSync(join(tmpdir(), `skiff-${name}-`))
  const kubeconfig = join(dir, 'kubeconfig')
  let child: ChildProcess | undefined
  const kill = async () => {
    await killHard(child)
    child = undefined
  }
  return {
    dir,
    kubeconfig,
    async start(port) {
      const starting = spawn(process.execPath, [join(import.meta.dirname, '../faults/plane.ts'), dir, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] })
      child = starting
      await new Promise<void>((resolve, reject) => {
        starting.stdout.once('data', () => resolve())
        starting.once('close', (code) => reject(new Error(`the control plane ended with ${code}`)))
      })
      return createHttpsClient(await loadKubeconfig({ path: kubeconfig }))
    },
    kill,
    async remove() {
      await kill()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
