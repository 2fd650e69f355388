/** Lifecycle hooks: what a container runs after it started and before it is stopped. */
import type { core } from '../../api/index.ts'
import type { AnyContainer, NodeContext } from '../context.ts'
import { portNumber, runHandler } from '../probes/handlers.ts'

export interface HookTarget { readonly pod: core.Pod; readonly container: AnyContainer; readonly containerId: string; readonly podIP: string }

/** Runs the handler to its end, or until the time is up. Throws with what went wrong. */
export async function runHook(context: NodeContext, target: HookTarget, handler: core.LifecycleHandler, seconds: number, signal?: AbortSignal): Promise<void> {
  if (handler.sleep) return context.clock.sleep(Math.min(seconds, Number(handler.sleep.seconds)) * 1000, signal)
  const { container } = target.container
  if (handler.exec) {
    const { exitCode, stdout, stderr } = await context.runtime.exec(target.containerId, handler.exec.command ?? [], seconds)
    if (exitCode !== 0) throw new Error(`command '${(handler.exec.command ?? []).join(' ')}' exited with ${exitCode}: ${Buffer.concat([stdout, stderr]).subarray(0, 1024).toString()}`)
    return
  }
  if (handler.httpGet) {
    const action = { ...handler.httpGet, port: portNumber(container, handler.httpGet.port || 80) }
    const outcome = await runHandler({ pod: target.pod, container, containerId: target.containerId, podIP: target.podIP, runtime: context.runtime }, { httpGet: action }, seconds)
    if (!outcome.success) throw new Error(outcome.output)
    return
  }
  throw new Error(`invalid handler: ${JSON.stringify(handler)}`)
}
