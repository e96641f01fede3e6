// Package contracts holds the program to what it promises others: the schemas in docs, docs/asyncapi.yaml with its
// examples, and the programs and requests that documents show. It is no part of the program.
package contracts
