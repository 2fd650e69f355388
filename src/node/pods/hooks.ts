/** Lifecycle hooks: what a container runs after it started and before it is stopped. */
import type { core } from '../../api/index.ts'
import { podText, type AnyContainer, type NodeContext } from '../context.ts'
import { callHook } from '../probes/handlers.ts'

export interface HookTarget { readonly pod: core.Pod; readonly container: AnyContainer; readonly containerId: string; readonly podIP: string }

/** Runs the handler to its end, or until the time is up. Throws with what went wrong. */
export async function runHook(context: NodeContext, target: HookTarget, handler: core.LifecycleHandler, seconds: number, signal?: AbortSignal): Promise<void> {
  if (handler.sleep) return context.clock.sleep(Math.min(seconds, Number(handler.sleep.seconds)) * 1000, signal)
  const { container } = target.container
  const failed = (kind: string, what: string, why: string) => new Error(`${kind} lifecycle hook (${what}) for Container ${JSON.stringify(container.name)} in Pod ${JSON.stringify(podText(target.pod))} failed - error: ${why}`)
  if (handler.exec) {
    const command = handler.exec.command ?? []
    const { exitCode, stdout, stderr } = await context.runtime.exec(target.containerId, command, seconds)
    const output = Buffer.concat([stdout, stderr]).subarray(0, 1024).toString()
    if (exitCode !== 0) throw failed('Exec', `[${command.join(' ')}]`, `command '${command.join(' ')}' exited with ${exitCode}: ${output}, message: ${JSON.stringify(output)}`)
    return
  }
  if (handler.httpGet) {
    const action = { ...handler.httpGet, port: handler.httpGet.port || 80 }
    const { insecure } = await callHook({ container, podIP: target.podIP }, action, seconds).catch((error: unknown) => {
      throw failed('HTTP', action.path ?? '', error instanceof Error ? error.message : String(error))
    })
    if (insecure) context.recorder.event(target.pod, 'Warning', 'LifecycleHTTPFallback', `request to HTTPS lifecycle hook ${insecure} got HTTP response, retry with HTTP succeeded`)
    return
  }
  throw new Error(`invalid handler: ${JSON.stringify(handler)}`)
}
