/** `skiff`: reads the command line and calls the command. A command's code is loaded only when it is called. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { version } from '../cluster/version.ts'
import { UserError } from '../cluster/user-error.ts'
import { keepYoungSmall } from '../machinery/heap-growth.ts'
import type { AgentOptions } from './agent.ts'
import type { ApiServerOptions } from './apiserver.ts'
import type { DownOptions } from './down.ts'
import type { BuildOptions } from './image.ts'
import type { KubeconfigOptions } from './kubeconfig.ts'
import type { LogsOptions } from './logs.ts'
import type { ClusterOptions } from './options.ts'
import type { ServerOptions } from './server.ts'
import type { StatusOptions } from './status.ts'
import type { UpOptions } from './up.ts'

// What is cut from Node's pool of small buffers keeps the whole piece of it in memory: caches would hold many large ones for a few bytes.
Buffer.poolSize = 8 * 1024
keepYoungSmall()

const program = new Command('skiff')
  .description('Kubernetes in a small boat: a real cluster from one command.')
  .version(version, '-v, --version', 'print the version')
  .configureHelp({ sortSubcommands: false })
  .configureOutput({ outputError: (text, write) => write(`${usageError(text)}\n`) })
  .exitOverride()

/** What commander says of a wrong command line, as one sentence that names the command whose help tells more. */
function usageError(text: string): string {
  const [, said = '', guess] = /^error: (.*?)\.?(?:\n\((.*)\?\))?\n?$/s.exec(text) ?? [undefined, text.trim()]
  const sentence = said.replace(/\. (\w)/, (_, letter: string) => `: ${letter.toLowerCase()}`)
  return `skiff: ${sentence}${guess === undefined ? '' : ` (${guess.charAt(0).toLowerCase()}${guess.slice(1)}?)`}; run "${asked()} --help"`
}

/** The command that the command line names, as far as it names one: `skiff image build`. */
function asked(): string {
  let command = program
  const words = ['skiff']
  for (const word of process.argv.slice(2)) {
    const next = command.commands.find((c) => c.name() === word)
    if (!next) break
    command = next
    words.push(word)
  }
  return words.join(' ')
}

function portNumber(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new InvalidArgumentError('a port is a number from 1 to 65535')
  return port
}

function lineCount(text: string): number {
  const lines = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(lines)) throw new InvalidArgumentError('it takes a whole number of lines')
  return lines
}

const repeated = (value: string, all: string[] = []): string[] => [...all, value]

/** Adds what every command about a cluster or a node takes. */
const named = (command: Command): Command =>
  command
    .option('--name <name>', "the cluster's name", process.env['SKIFF_NAME'] ?? 'skiff')
    .option('--data-dir <dir>', "the cluster's data directory (default: /var/lib/skiff/<name>)")

/** Adds what commands take that may make a cluster: its port is theirs to choose. */
const making = (command: Command): Command =>
  named(command).option('--port <port>', "the API server's port (default: 6443, or the next free one)", portNumber)

/** Adds what commands on a cluster that is there take: its port is only compared. */
const clustered = (command: Command): Command =>
  named(command).option('--port <port>', "fail unless this is the API server's port", portNumber)

/** Adds what every command that runs a node or a control plane takes. */
const boot = (command: Command): Command =>
  command
    .option('--node-ip <address>', "the node's address (default: the host's first)")
    .option('--container-runtime-endpoint <socket>', 'use this containerd instead of a private one')
    .addOption(new Option('--log-level <level>', 'the least severe messages that are logged').choices(['debug', 'info', 'warn', 'error']).default('info'))

/** Adds what every command that runs a control plane takes. */
const governing = (command: Command): Command =>
  boot(making(command)).option('--kube-apiserver-arg <name=value>', "a flag of kube-apiserver, remembered with the cluster; repeatable, 'name=' takes it back", repeated)

governing(program.command('up'))
  .description('start the cluster in the background; returns when its node is Ready')
  .option('--yes', 'install missing packages without asking')
  .option('--no-merge', 'leave ~/.kube/config alone')
  .action(async (options: UpOptions) => (await import('./up.ts')).up(options))

clustered(program.command('down'))
  .description('stop the cluster and remove every trace of it from the host, except the data directory')
  .option('--purge', 'remove the data directory too: everything the cluster remembers')
  .action(async (options: DownOptions) => (await import('./down.ts')).down(options))

clustered(program.command('status'))
  .description('show what runs, and whether it is healthy')
  .addOption(new Option('-o, --output <format>', 'the output format').choices(['text', 'json']).default('text'))
  .action(async (options: StatusOptions) => (await import('./status.ts')).status(options))

clustered(program.command('kubeconfig'))
  .description("print the administrator's kubeconfig, or one for a node on another machine")
  .addOption(new Option('--path', "print the path of the administrator's kubeconfig instead").conflicts(['forNode', 'bootstrap']))
  .option('--for-node <name>', 'print a kubeconfig for "skiff agent" on another machine; needs --node-ip')
  .option('--node-ip <address>', 'the address of that machine')
  .addOption(new Option('--bootstrap', 'print a kubeconfig with which any machine can join by "skiff agent"; valid for a day').conflicts(['forNode', 'nodeIp']))
  .action(async (options: KubeconfigOptions) => (await import('./kubeconfig.ts')).kubeconfig(options))

clustered(program.command('logs'))
  .description("print the cluster's own log")
  .option('-f, --follow', 'keep printing as the log grows')
  .option('--tail <lines>', 'how many of the last lines to print', lineCount, 200)
  .action(async (options: LogsOptions) => (await import('./logs.ts')).logs(options))

governing(program.command('server'))
  .description('run the cluster in the foreground: control plane and node')
  .option('--no-node', 'run the control plane alone')
  .action(async (options: ServerOptions) => (await import('./server.ts')).server(options))

boot(named(program.command('agent')))
  .description('run a node in the foreground, for a control plane on another machine')
  .requiredOption('--kubeconfig <file>', 'the kubeconfig that "skiff kubeconfig" printed for this node')
  .option('--node-name <name>', "the node's name, when joining by a bootstrap token (default: the host's name)")
  .action(async (options: AgentOptions) => (await import('./agent.ts')).agent(options))

program
  .command('apiserver')
  .description('run an API server alone, for tests')
  .option('--memory', 'keep everything in memory; required')
  .option('--port <port>', 'the port on loopback (default: any free one)', portNumber)
  .option('--kubeconfig <file>', "write the administrator's kubeconfig to this file instead of standard output")
  .action(async (options: ApiServerOptions) => (await import('./apiserver.ts')).apiserver(options))

const image = program.command('image').description('build, import and list container images')
clustered(image.command('build <context>'))
  .description('build an image from a Dockerfile, without a registry')
  .requiredOption('-t, --tag <reference>', "the image's name, such as hello:1.0")
  .option('-f, --file <file>', 'the Dockerfile (default: <context>/Dockerfile)')
  .option('--build-arg <name=value>', 'a value for an ARG; repeatable', repeated)
  .action(async (context: string, options: BuildOptions) => (await import('./image.ts')).build(context, options))
clustered(image.command('import <archive>'))
  .description('import a Docker or OCI archive')
  .action(async (archive: string, options: ClusterOptions) => (await import('./image.ts')).importArchive(archive, options))
clustered(image.command('list'))
  .description("list the cluster's images")
  .action(async (options: ClusterOptions) => (await import('./image.ts')).list(options))

const secrets = program.command('secrets').description('manage how secrets are encrypted on disk')
clustered(secrets.command('rotate-key'))
  .description('encrypt every secret with a new key, and forget the old one')
  .action(async (options: ClusterOptions) => (await import('./secrets.ts')).rotateKey(options))

clustered(program.command('version'))
  .description('print the version of this program, and of the cluster if it is up')
  .action(async (options: ClusterOptions) => (await import('./version.ts')).printVersion(options))

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode
  else if (error instanceof UserError) {
    console.error(`skiff: ${error.message}`)
    process.exitCode = 1
  } else {
    console.error(`skiff: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    process.exitCode = 70
  }
}
