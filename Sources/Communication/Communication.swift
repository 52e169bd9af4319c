// The Communication module.
