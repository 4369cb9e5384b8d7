// Judges pairs of requests and answers, one a line on stdin, by the published interfaces in FOLDER:
// for each a line with the operation it was taken for and what is wrong with both.
"use strict";
const readline = require("readline");
require("oav/dist/lib/util/logging").log.consoleLogLevel = "off";
const { LiveValidator } = require("oav");

const side = result => ({
    operation: result.operationInfo.operationId,
    errors: result.runtimeException ? [{ code: "EXCEPTION", message: result.runtimeException.message,
        pathsInPayload: [] }] : result.errors.map(({ code, message, pathsInPayload }) =>
        ({ code, message, pathsInPayload })) });

async function main() {
    const judge = new LiveValidator({
        git: { shouldClone: false },
        directory: process.argv[2],
        swaggerPathsPattern: ["*/resource-manager/**/*.json"],
    }, undefined, () => {});
    await judge.initialize();
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const result = await judge.validateLiveRequestResponse(JSON.parse(line));
        process.stdout.write(JSON.stringify({
            request: side(result.requestValidationResult),
            response: side(result.responseValidationResult) }) + "\n");
    }
}

main().catch(error => {
    console.error(error);
    process.exitCode = 1;
});
