package main

const patroniAbout = ""

func patroniRows() []row { return nil }
