print("mtdnn")
