// The official MCP SDK's client against a channel server:
//
//   node mcp-sdk-client.mjs 'STEPS as JSON' COMMAND [ARGUMENT…]
//
// Starts the command with this process's environment, initializes, lists the tools if there are any
// and follows the steps (steps.mjs). Prints one JSON object a line: {"step": …, …}. Ends with 0, or
// with 1 after {"step": "error", …}. The server's standard error is passed through.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { Inbox, parseSteps } from './steps.mjs'

const print = (step, fields) => process.stdout.write(JSON.stringify({ step, ...fields }) + '\n')

async function main([stepsText, command, ...args]) {
  if (!command) throw new Error('usage: mcp-sdk-client.mjs STEPS COMMAND [ARGUMENT…]')
  const steps = parseSteps(stepsText)
  const events = new Inbox()
  const client = new Client({ name: 'sluicegate-test', version: '0' }, { capabilities: {} })
  // Whatever the SDK has no schema for comes here, and every channel notification is such a one.
  client.fallbackNotificationHandler = async notification => {
    if (notification.method !== 'notifications/claude/channel') return print('notification', { notification })
    print('event', { params: notification.params })
    events.add(notification.params)
  }
  client.onerror = error => print('client-error', { message: error.message })
  const transport = new StdioClientTransport({ command, args, env: process.env, stderr: 'inherit' })
  await client.connect(transport)
  try {
    print('initialized', {
      server: client.getServerVersion(),
      capabilities: client.getServerCapabilities(),
      instructions: client.getInstructions(),
    })
    if (client.getServerCapabilities()?.tools) await list(client)
    for (const step of steps) {
      if (step.kind === 'exit') break
      if (step.kind === 'wait') print('waited', { matched: await events.wait(step.wait, step.times, step.timeout) })
      if (step.kind === 'call') print('called', await call(client, step))
      if (step.kind === 'list') await list(client)
      if (step.kind === 'sleep') await new Promise(resolve => setTimeout(resolve, step.sleep * 1000))
    }
  } finally {
    await client.close()
  }
  print('closed', {})
}

async function list(client) {
  const { tools } = await client.listTools()
  print('tools', { tools })
}

/** A tool's failure and a protocol error are both results worth printing; neither ends the run. */
async function call(client, step) {
  try {
    return { tool: step.call, result: await client.callTool({ name: step.call, arguments: step.arguments ?? {} }) }
  } catch (error) {
    return { tool: step.call, error: { code: error.code, message: error.message } }
  }
}

main(process.argv.slice(2)).catch(error => {
  print('error', { message: error.message })
  process.exitCode = 1
})
